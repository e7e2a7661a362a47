/**
 * The scheduler of coroutines: the trampoline of Beazley's lectures. It takes the calls that tasks written for threads yield, and
 * makes each without blocking. A coroutine whose call finds nothing waits for the socket, and when every coroutine has had its
 * turn, one poll waits for all of them.
 *
 * Nobody starves. A turn is at most {@link CALLS_PER_TURN} calls; a coroutine that is not through by then goes on in the next
 * round, and the poll in between, which does not wait then, brings those in whose sockets have become ready. So a client that never
 * lets its connection run dry delays the others by a turn each round, and no more. A message of one piece takes less than a
 * turn: with one client nothing is polled but to wait.
 *
 * A connection ends by itself: what its task throws closes its socket, is written down, and touches no other. So does a peer that
 * lets its coroutine wait too long: the poll waits no longer than the first of them may, and after it each has waited for its length.
 */
import { PollSet, READABLE, WRITABLE } from '../net/poll-set.ts';
import { NOTHING, type Socket } from '../net/posix.ts';
import { close, poll, type ServerTask, type SystemCall } from './calls.ts';
import { newPeer, type Peer, tooLate } from './peer.ts';

const CALLS_PER_TURN = 16;

/** A task, and the call it has come to. */
interface Coroutine {
  readonly task: ServerTask;
  step: IteratorResult<SystemCall, void>;
  /** For whom it waits; null if for nobody in particular. */
  waitsFor: Peer | null;
}

/**
 * Runs a task and the connections it starts threads for, all as coroutines of the calling thread. Ends when the task does, and
 * then closes the connections that are left.
 *
 * @param main makes the connections: what it throws ends all
 * @param peerTimeoutNs how long a peer may let its coroutine wait, see `peer.ts`
 * @param serve what is done with each
 */
export function runCoroutines(main: ServerTask, peerTimeoutNs: number, serve: (peer: Peer) => ServerTask): ServerTask {
  return new Scheduler(peerTimeoutNs, serve).run(main);
}

class Scheduler {
  readonly #peerTimeoutNs: number;
  readonly #serve: (peer: Peer) => ServerTask;
  /** Connections that are not closed. */
  readonly #open = new Set<Socket>();
  /** Coroutines whose call found nothing. */
  readonly #waiting = new PollSet<Coroutine>();
  /** Coroutines that go on after the next poll, whatever it finds. */
  readonly #next: Coroutine[] = [];
  /** How long that poll may wait for their sake. */
  #timeoutNs = Infinity;
  /** How long it may wait until the first peer is late. */
  #patienceNs = Infinity;

  constructor(peerTimeoutNs: number, serve: (peer: Peer) => ServerTask) {
    this.#peerTimeoutNs = peerTimeoutNs;
    this.#serve = serve;
  }

  *run(task: ServerTask): ServerTask {
    const main = this.#start(task);
    try {
      while (main.step.done !== true) {
        yield* poll(this.#waiting, Math.min(this.#timeoutNs, this.#patienceNs));
        this.#timeoutNs = Infinity;
        this.#patienceNs = Infinity;
        const through = this.#waiting.takeReady((coroutine, ready) => this.#noteWaited(coroutine, ready));
        const turns = [...this.#next.splice(0), ...through];
        for (const coroutine of turns) yield* this.#turn(coroutine);
      }
    } finally {
      for (const socket of this.#open) yield* close(socket, null);
    }
  }

  #start(task: ServerTask): Coroutine {
    const coroutine: Coroutine = { task, step: task.next(), waitsFor: null };
    this.#goOn(coroutine, 0);
    return coroutine;
  }

  /** Gives a coroutine its next turn after the next poll, which waits no longer than this for the others' sockets. */
  #goOn(coroutine: Coroutine, withinNs: number): void {
    this.#next.push(coroutine);
    this.#timeoutNs = Math.min(this.#timeoutNs, withinNs);
  }

  *#turn(coroutine: Coroutine): ServerTask {
    const { task, waitsFor } = coroutine;
    coroutine.waitsFor = null;
    if (waitsFor !== null && waitsFor.leftNs <= 0) coroutine.step = task.throw(tooLate(waitsFor));
    for (let calls = 0; calls < CALLS_PER_TURN; calls++) {
      if (coroutine.step.done === true) return;
      const call = coroutine.step.value;
      let result: number;
      try {
        const made = this.#madeOf(call);
        result = made === null ? 0 : yield made;
      } catch (error) {
        coroutine.step = task.throw(error);
        continue;
      }
      if (result === NOTHING) return this.#wait(coroutine, call);
      coroutine.step = task.next(result);
      // Its pause is over as soon as anything happens: a shortage, which is what pauses are for, ends that way.
      if (call.call === 'sleep') return this.#goOn(coroutine, call.durationNs);
    }
    this.#goOn(coroutine, 0);
  }

  /** What is made of a coroutine's call: one that returns `NOTHING` if it would have blocked; null if there is nothing to call. */
  #madeOf(call: SystemCall): SystemCall | null {
    switch (call.call) {
      case 'accept':
        return { call: 'accept', listener: call.listener, nonblocking: true };
      case 'recv':
        return { call: 'recv', peer: call.peer, into: call.into, nonblocking: true };
      case 'send':
        return { call: 'send', peer: call.peer, from: call.from, nonblocking: true };
      case 'startThread':
        this.#open.add(call.socket);
        this.#start(this.#connection(newPeer(call.socket, this.#peerTimeoutNs)));
        return null;
      case 'sleep':
        return null;
      case 'close':
        this.#open.delete(call.socket);
        return call;
      case 'toolkit':
      case 'zmqSend':
        return call;
      case 'poll':
      case 'zmqProxy':
        throw new Error(`a coroutine cannot «${call.call}»: it would block all the others`);
    }
  }

  #wait(coroutine: Coroutine, call: SystemCall): void {
    if (call.call === 'accept') this.#waiting.add(call.listener, READABLE, coroutine);
    if (call.call !== 'recv' && call.call !== 'send') return;
    const { peer } = call;
    coroutine.waitsFor = peer;
    this.#patienceNs = Math.min(this.#patienceNs, peer.leftNs);
    this.#waiting.add(peer.socket, call.call === 'recv' ? READABLE : WRITABLE, coroutine);
  }

  /**
   * Takes off what a coroutine has waited for its peer. A poll that did not find it ready saw that nothing had come since the poll
   * before; one that did tells no more than how long it took itself.
   *
   * @returns whether it waits no longer
   */
  #noteWaited({ waitsFor }: Coroutine, ready: boolean): boolean {
    if (waitsFor === null) return false;
    waitsFor.leftNs -= ready ? this.#waiting.tookNs : this.#waiting.sinceLastNs;
    if (waitsFor.leftNs <= 0) return true;
    if (!ready) this.#patienceNs = Math.min(this.#patienceNs, waitsFor.leftNs);
    return false;
  }

  /** A connection's whole life, its end included. */
  *#connection(peer: Peer): ServerTask {
    let error: string | null = null;
    try {
      yield* this.#serve(peer);
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.message : String(thrown);
    }
    yield* close(peer.socket, error);
  }
}
