/**
 * libzmq in the simulated world: a socket, whose owner only passes messages to an I/O thread and takes them from it. That thread
 * moves them between the queues and the connection, needs no lock, and is woken for each message that finds it asleep.
 *
 * Messages go from I/O thread to I/O thread in batches, each of which wakes the other: who is woken for the first of two has the CPU
 * before the second is sent, if both are on one.
 */
import type { Machine, WokenThrough } from '../../lock/machines/virtual-time/machine.ts';
import type { Program, VirtualThread } from '../../lock/machines/virtual-time/thread.ts';
import type { Call } from './kernel.ts';
import type { Profile } from './profile.ts';

type Message = readonly Uint8Array[];

/** What libzmq sends or receives at once (`out_batch_size`, `in_batch_size`). */
const BATCH_BYTES = 8_192;
/** What the protocol adds to a message of two frames, an empty one and a long one. */
const FRAMING_BYTES = 2 + 9;

export class SimulatedZmqSocket {
  readonly #machine: Machine;
  readonly #profile: Profile;
  /** Received, not yet taken by the owner. */
  readonly #inbox: Message[] = [];
  /** Sent by the owner, not yet by the I/O thread. */
  readonly #outbox: Message[] = [];
  /** Batches on the connection, not yet received by the I/O thread; null: not the last of its message. */
  readonly #arrived: (Message | null)[] = [];
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
    yield* this.#wakeIo(thread, 'eventfd');
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
        for (let batch = batchesOf(frames); batch > 0; batch--) {
          const wakeNs = peer.#sleepingIo === null ? 0 : sockets.wakeNs;
          yield thread.run(this.#batchNs(frames) + this.#machine.coldNs(thread, 'send') + wakeNs);
          peer.#arrived.push(batch > 1 ? null : frames);
          yield* peer.#wakeIo(thread, 'connection');
        }
      }
      const arrived = this.#arrived.shift();
      if (arrived !== undefined) yield thread.run(this.#batchNs(arrived) + this.#machine.coldNs(thread, 'recv'));
      if (arrived) {
        if (this.#sleepingOwner !== null) yield thread.run(sockets.wakeNs);
        this.#inbox.push(this.#identity === null ? arrived : [this.#identity, ...arrived]);
        const owner = this.#sleepingOwner;
        this.#sleepingOwner = null;
        if (owner !== null) yield* this.#wake(owner, thread, 'eventfd');
      }
      if (this.#isDone) {
        // Finds nothing. Whom it has woken waits meanwhile, so that it falls asleep ahead of it.
        yield thread.run(sockets.pollNs);
        if (!this.#isDone) continue;
        this.#sleepingIo = thread;
        yield thread.sleep();
      }
    }
  }

  get #isDone(): boolean {
    return this.#outbox.length === 0 && this.#arrived.length === 0;
  }

  *#wakeIo(by: VirtualThread, through: WokenThrough): Program {
    const io = this.#sleepingIo;
    this.#sleepingIo = null;
    if (io !== null) yield* this.#wake(io, by, through);
  }

  *#wake(thread: VirtualThread, by: VirtualThread, through: WokenThrough): Program {
    const ns = this.#machine.wake(thread, 0, by, through) ?? 0;
    if (ns > 0) yield by.run(ns);
  }

  /** What one batch is to the I/O thread. */
  #batchNs(frames: Message | null): number {
    const bytes = frames === null ? BATCH_BYTES : bytesOf(frames) / batchesOf(frames);
    return this.#profile.zeromq.ioNs + Math.ceil((bytes * this.#profile.sockets.perKibNs) / 1024);
  }
}

function batchesOf(frames: Message): number {
  return Math.ceil((bytesOf(frames) + FRAMING_BYTES) / BATCH_BYTES);
}

function bytesOf(frames: Message): number {
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  return bytes;
}
