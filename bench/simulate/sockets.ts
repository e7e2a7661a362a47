/**
 * Loopback sockets of the simulated kernel: what is in them, and who sleeps until that changes. The bytes are real, since servers
 * read lengths out of them and clients check echoes; what a call costs is said where the calls are made (`kernel.ts`).
 */
import type { Machine } from '../../lock/machines/virtual-time/machine.ts';
import type { VirtualThread } from '../../lock/machines/virtual-time/thread.ts';
import { READABLE, WRITABLE } from '../../net/poll-set.ts';
import type { Socket } from '../../net/posix.ts';

const FIRST_RING_BYTES = 64 * 1024;

/**
 * Threads that sleep until a socket has changed. All are woken: each looks again, by one who is taken to be about to sleep (WF_SYNC).
 * {@link wake} returns what that takes the waker.
 */
class Waiters {
  #threads: VirtualThread[] = [];

  get length(): number {
    return this.#threads.length;
  }

  add(thread: VirtualThread): void {
    this.#threads.push(thread);
  }

  remove(thread: VirtualThread): void {
    const at = this.#threads.indexOf(thread);
    if (at >= 0) this.#threads.splice(at, 1);
  }

  wake(machine: Machine, by: VirtualThread): number {
    if (this.#threads.length === 0) return 0;
    const threads = this.#threads;
    this.#threads = [];
    let ns = 0;
    for (const thread of threads) ns += machine.wake(thread, 0, by, 'connection') ?? 0;
    return ns;
  }
}

/** One direction of a connection: a ring of bytes. */
export class Stream {
  readonly capacityBytes: number;
  readonly readers = new Waiters();
  readonly writers = new Waiters();
  #ring = new Uint8Array(FIRST_RING_BYTES);
  #from = 0;
  #have = 0;

  constructor(capacityBytes: number) {
    this.capacityBytes = capacityBytes;
  }

  /** Bytes that can be read. */
  get have(): number {
    return this.#have;
  }

  /** Bytes that can be written. */
  get room(): number {
    return this.capacityBytes - this.#have;
  }

  /** Takes as many bytes as there are and fit. Returns how many. */
  read(into: Uint8Array): number {
    const bytes = Math.min(into.length, this.#have);
    const ring = this.#ring;
    const toEnd = Math.min(bytes, ring.length - this.#from);
    into.set(ring.subarray(this.#from, this.#from + toEnd));
    if (toEnd < bytes) into.set(ring.subarray(0, bytes - toEnd), toEnd);
    this.#from = (this.#from + bytes) % ring.length;
    this.#have -= bytes;
    return bytes;
  }

  /** Puts in as many bytes as there is room for. Returns how many. */
  write(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.room);
    if (this.#have + count > this.#ring.length) this.#grow(this.#have + count);
    const ring = this.#ring;
    const at = (this.#from + this.#have) % ring.length;
    const toEnd = Math.min(count, ring.length - at);
    ring.set(bytes.subarray(0, toEnd), at);
    if (toEnd < count) ring.set(bytes.subarray(toEnd, count));
    this.#have += count;
    return count;
  }

  #grow(toBytes: number): void {
    const larger = new Uint8Array(Math.min(this.capacityBytes, Math.max(2 * this.#ring.length, toBytes)));
    const have = this.#have;
    this.read(larger.subarray(0, have));
    this.#ring = larger;
    this.#from = 0;
    this.#have = have;
  }
}

/** One end of a connection. */
export interface Connection {
  readonly incoming: Stream;
  readonly outgoing: Stream;
}

/** A listening socket. */
export class Listener {
  readonly backlog: Socket[] = [];
  readonly accepters = new Waiters();
}

/** The descriptors of the simulated machine. */
export class Sockets {
  readonly #machine: Machine;
  readonly #bufferBytes: number;
  readonly #open = new Map<Socket, Connection | Listener>();
  #next = 3;

  constructor(machine: Machine, bufferBytes: number) {
    this.#machine = machine;
    this.#bufferBytes = bufferBytes;
  }

  listen(): Socket {
    return this.#add(new Listener());
  }

  /** Makes a connection. Returns the client's end. */
  connect(listener: Socket, by: VirtualThread): Socket {
    const there = new Stream(this.#bufferBytes);
    const back = new Stream(this.#bufferBytes);
    const server = this.#add({ incoming: there, outgoing: back });
    const { backlog, accepters } = this.listener(listener);
    backlog.push(server);
    accepters.wake(this.#machine, by);
    return this.#add({ incoming: back, outgoing: there });
  }

  connection(socket: Socket): Connection {
    const open = this.#open.get(socket);
    if (open === undefined || open instanceof Listener) throw new Error(`socket ${socket} is no connection`);
    return open;
  }

  listener(socket: Socket): Listener {
    const open = this.#open.get(socket);
    if (!(open instanceof Listener)) throw new Error(`socket ${socket} does not listen`);
    return open;
  }

  close(socket: Socket): void {
    this.#open.delete(socket);
  }

  /** What a socket is ready for, of what is asked: `events` and result are those of poll(2). */
  readyFor(socket: Socket, events: number): number {
    const open = this.#open.get(socket);
    if (open === undefined) return 0;
    if (open instanceof Listener) return events & (open.backlog.length > 0 ? READABLE : 0);
    return events & ((open.incoming.have > 0 ? READABLE : 0) | (open.outgoing.room > 0 ? WRITABLE : 0));
  }

  /** Lets a thread be woken when a socket may have become ready; `false`: no more. */
  watch(socket: Socket, events: number, thread: VirtualThread, on: boolean): void {
    const open = this.#open.get(socket);
    if (open === undefined) return;
    const lists =
      open instanceof Listener
        ? [open.accepters]
        : [
            ...((events & READABLE) !== 0 ? [open.incoming.readers] : []),
            ...((events & WRITABLE) !== 0 ? [open.outgoing.writers] : []),
          ];
    for (const list of lists) {
      if (on) list.add(thread);
      else list.remove(thread);
    }
  }

  #add(open: Connection | Listener): Socket {
    this.#open.set(this.#next, open);
    return this.#next++;
  }
}
