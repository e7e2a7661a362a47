/**
 * libzmq in the simulated world: a socket, whose owner only passes messages to an I/O thread and takes them from it. That thread
 * moves them between the queues and the connection, needs no lock, and is woken for each message that finds it asleep.
 *
 * Messages go from I/O thread to I/O thread whole; what the wire adds to them is in the cost of one message.
 */
import type { Machine, WakeManner } from '../../lock/machines/virtual-time/machine.ts';
import type { Program, VirtualThread } from '../../lock/machines/virtual-time/thread.ts';
import type { Call } from './kernel.ts';
import type { Profile } from './profile.ts';
import { ON_CONNECTION } from './sockets.ts';

type Message = readonly Uint8Array[];

/**
 * Between an owner and its I/O thread, through an eventfd. Where the one that is woken goes, and whether it displaces its waker there, was seen in
 * traces of Linux 6.18: an I/O thread comes to its waker's CPU, an owner stays on its own, be it asleep, and neither displaces its waker, where one
 * that is woken through a connection does.
 */
const TO_IO_THREAD: WakeManner = { isSync: true, displaces: false };
const TO_OWNER: WakeManner = { isSync: false, displaces: false };

export class SimulatedZmqSocket {
  readonly #machine: Machine;
  readonly #profile: Profile;
  /** Received, not yet taken by the owner. */
  readonly #inbox: Message[] = [];
  /** Sent by the owner, not yet by the I/O thread. */
  readonly #outbox: Message[] = [];
  /** On the connection, not yet received by the I/O thread. */
  readonly #arrived: Message[] = [];
  /** What a ROUTER puts in front of each message that comes from the peer; null on a REQ. */
  readonly #identity: Uint8Array | null;
  #peer: SimulatedZmqSocket | null = null;
  #sleepingOwner: VirtualThread | null = null;
  #sleepingIo: VirtualThread | null = null;

  constructor(machine: Machine, profile: Profile, type: 'router' | 'req') {
    this.#machine = machine;
    this.#profile = profile;
    this.#identity = type === 'router' ? Uint8Array.of(0, 0, 0, 0, 1) : null;
  }

  connect(peer: SimulatedZmqSocket): void {
    this.#peer = peer;
    peer.#peer = this;
  }

  /** The owner takes the next message; sleeps until there is one. */
  *receive(thread: VirtualThread): Generator<number, Message, number> {
    while (this.#inbox.length === 0) {
      this.#sleepingOwner = thread;
      yield thread.sleep();
    }
    yield thread.run(this.#profile.zeromq.callNs);
    return this.#inbox.shift() as Message;
  }

  /** The owner passes a message on. Returns how many frames it has. */
  *send(thread: VirtualThread, frames: Message): Call {
    const { zeromq, sockets } = this.#profile;
    yield thread.run(zeromq.callNs + (this.#sleepingIo === null ? 0 : sockets.wakeNs));
    this.#outbox.push(frames);
    yield* this.#wakeIo(thread, TO_IO_THREAD);
    return frames.length;
  }

  /** What the I/O thread does. */
  io(thread: VirtualThread): Program {
    return this.#io(thread);
  }

  *#io(thread: VirtualThread): Program {
    const { sockets } = this.#profile;
    for (;;) {
      const sent = this.#outbox.shift();
      if (sent !== undefined) {
        const peer = this.#peer;
        if (peer === null) throw new Error('a ZeroMQ socket sends before it is connected');
        const frames = this.#identity === null ? sent : sent.slice(1);
        yield thread.run(this.#messageNs(frames) + (peer.#sleepingIo === null ? 0 : sockets.wakeNs));
        peer.#arrived.push(frames);
        yield* peer.#wakeIo(thread, ON_CONNECTION);
      }
      const arrived = this.#arrived.shift();
      if (arrived !== undefined) {
        yield thread.run(this.#messageNs(arrived) + (this.#sleepingOwner === null ? 0 : sockets.wakeNs));
        this.#inbox.push(this.#identity === null ? arrived : [this.#identity, ...arrived]);
        const owner = this.#sleepingOwner;
        this.#sleepingOwner = null;
        if (owner !== null) yield* this.#wake(owner, thread, TO_OWNER);
      }
      if (this.#outbox.length === 0 && this.#arrived.length === 0) {
        this.#sleepingIo = thread;
        yield thread.sleep();
      }
    }
  }

  *#wakeIo(by: VirtualThread, manner: WakeManner): Program {
    const io = this.#sleepingIo;
    this.#sleepingIo = null;
    if (io !== null) yield* this.#wake(io, by, manner);
  }

  *#wake(thread: VirtualThread, by: VirtualThread, manner: WakeManner): Program {
    const ns = this.#machine.wake(thread, 0, by, manner) ?? 0;
    if (ns > 0) yield by.run(ns);
  }

  /** What one message is to the I/O thread. */
  #messageNs(frames: Message): number {
    let bytes = 0;
    for (const frame of frames) bytes += frame.length;
    return this.#profile.zeromq.ioNs + Math.ceil((bytes * this.#profile.sockets.perKibNs) / 1024);
  }
}
