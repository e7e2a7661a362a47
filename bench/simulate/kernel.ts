/**
 * The system calls of the simulated machine, as pieces of programs: each lets its time pass, sleeps where the real one would, and
 * returns what the real one does.
 */
import type { Doing, Machine } from '../../lock/machines/virtual-time/machine.ts';
import type { VirtualThread } from '../../lock/machines/virtual-time/thread.ts';
import type { PollSet } from '../../net/poll-set.ts';
import { NOTHING, type Socket } from '../../net/posix.ts';
import type { Profile } from './profile.ts';
import { Sockets } from './sockets.ts';

/** A call as a piece of a program. */
export type Call = Generator<number, number, number>;

/** Which timer a sleep ends by; the time-out of a futex is number 0. */
export const TIMER = { pause: 1, exact: 2 } as const;

/** Copying is paid for in whole nanoseconds. */
const BYTES_PER_KIB = 1024;

export class Kernel {
  readonly machine: Machine;
  readonly sockets: Sockets;
  readonly #costs: Profile['sockets'];

  constructor(machine: Machine, costs: Profile['sockets']) {
    this.machine = machine;
    this.sockets = new Sockets(machine, costs.bufferBytes);
    this.#costs = costs;
  }

  /** What it takes to go into the kernel and back, for nothing: `goTheWay` of `net/posix.ts`. */
  wayNs(thread: VirtualThread): number {
    return (this.#costs.wayNs ?? 0) + this.machine.coldNs(thread, 'way');
  }

  *accept(thread: VirtualThread, socket: Socket, nonblocking: boolean): Call {
    const listener = this.sockets.listener(socket);
    while (listener.backlog.length === 0) {
      yield thread.run(this.#costs.nothingNs);
      if (listener.backlog.length > 0) break;
      if (nonblocking) return NOTHING;
      listener.accepters.add(thread);
      yield thread.sleep();
    }
    yield thread.run(this.#costs.recvNs);
    return listener.backlog.shift() as Socket;
  }

  *recv(thread: VirtualThread, socket: Socket, into: Uint8Array, nonblocking: boolean): Call {
    const { incoming } = this.sockets.connection(socket);
    let slept = false;
    while (incoming.have === 0) {
      yield thread.run(this.#costs.nothingNs + this.#coldNs(thread, 'nothing'));
      // What came meanwhile is found: the kernel looks once more before it lets a thread sleep.
      if (incoming.have > 0) break;
      if (nonblocking) return NOTHING;
      incoming.readers.add(thread);
      yield thread.sleep();
      slept = true;
    }
    const copyNs = this.#copyNs(Math.min(into.length, incoming.have));
    // Who slept in the call has only the way back before him, and that is in the time it took to wake.
    const coldNs = this.#coldNs(thread, 'recv');
    yield thread.run(this.#costs.recvNs + copyNs + (slept ? 0 : coldNs));
    const wasFull = incoming.room === 0;
    const bytes = incoming.read(into);
    const wakeNs = wasFull ? incoming.writers.wake(this.machine, thread) : 0;
    if (wakeNs > 0) yield thread.run(wakeNs);
    return bytes;
  }

  *send(thread: VirtualThread, socket: Socket, from: Uint8Array, nonblocking: boolean): Call {
    const { outgoing } = this.sockets.connection(socket);
    let sent = 0;
    // A blocking send returns when the kernel has taken all.
    while (sent < from.length) {
      if (outgoing.room === 0) {
        yield thread.run(this.#costs.nothingNs);
        // As when receiving: room that came meanwhile woke nobody.
        if (outgoing.room > 0) continue;
        if (nonblocking) return sent === 0 ? NOTHING : sent;
        outgoing.writers.add(thread);
        yield thread.sleep();
        continue;
      }
      const rest = sent === 0 ? from : from.subarray(sent);
      const wakes = outgoing.readers.length > 0 ? this.#costs.wakeNs : 0;
      const copyNs = this.#copyNs(Math.min(rest.length, outgoing.room));
      yield thread.run(this.#costs.sendNs + copyNs + wakes + this.#coldNs(thread, 'send'));
      sent += outgoing.write(rest);
      const wakeNs = outgoing.readers.wake(this.machine, thread);
      if (wakeNs > 0) yield thread.run(wakeNs);
      if (nonblocking) break;
    }
    return sent;
  }

  *poll(thread: VirtualThread, set: PollSet, timeoutNs: number): Call {
    const endNs = this.machine.nowNs + timeoutNs;
    for (let slept = false; ; slept = true) {
      const coldNs = this.#coldNs(thread, 'poll');
      yield thread.run(this.#costs.pollNs + (slept ? 0 : coldNs));
      const ready = this.#scan(set);
      if (ready > 0 || this.machine.nowNs >= endNs) return ready;
      this.#watch(set, thread, true);
      if (endNs === Infinity) yield thread.sleep();
      else yield thread.sleepFor(endNs - this.machine.nowNs, TIMER.exact);
      this.#watch(set, thread, false);
    }
  }

  /** Fills in what poll(2) fills in. Returns how many sockets are ready. */
  #scan({ pollfds, size }: PollSet): number {
    let ready = 0;
    for (let i = 0; i < size; i++) {
      const events = (pollfds[2 * i + 1] as number) & 0xffff;
      const found = this.sockets.readyFor(pollfds[2 * i] as number, events);
      pollfds[2 * i + 1] = events | (found << 16);
      if (found !== 0) ready++;
    }
    return ready;
  }

  #watch({ pollfds, size }: PollSet, thread: VirtualThread, on: boolean): void {
    for (let i = 0; i < size; i++) {
      this.sockets.watch(pollfds[2 * i] as number, (pollfds[2 * i + 1] as number) & 0xffff, thread, on);
    }
  }

  /** What a call takes more that the thread has not made for long. */
  #coldNs(thread: VirtualThread, call: Doing): number {
    return this.machine.coldNs(thread, 'way') + this.machine.coldNs(thread, call);
  }

  #copyNs(bytes: number): number {
    return Math.ceil((bytes * this.#costs.perKibNs) / BYTES_PER_KIB);
  }
}
