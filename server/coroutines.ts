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
 * A connection ends by itself: what its task throws closes its socket, is written down, and touches no other.
 */
import { PollSet, READABLE, WRITABLE } from '../net/poll-set.ts';
import { NOTHING, type Socket } from '../net/posix.ts';
import { close, poll, type ServerTask, type SystemCall } from './calls.ts';

const CALLS_PER_TURN = 16;

/** A task, and the call it has come to. */
interface Coroutine {
  readonly task: ServerTask;
  step: IteratorResult<SystemCall, void>;
}

/**
 * Runs a task and the connections it starts threads for, all as coroutines of the calling thread. Ends when the task does, and
 * then closes the connections that are left.
 *
 * @param main makes the connections: what it throws ends all
 * @param serve what is done with each
 */
export function runCoroutines(main: ServerTask, serve: (connection: Socket) => ServerTask): ServerTask {
  return new Scheduler(serve).run(main);
}

class Scheduler {
  readonly #serve: (connection: Socket) => ServerTask;
  /** Connections that are not closed. */
  readonly #open = new Set<Socket>();
  /** Coroutines whose call found nothing. */
  readonly #waiting = new PollSet<Coroutine>();
  /** Coroutines that go on after the next poll, whatever it finds. */
  readonly #next: Coroutine[] = [];
  /** How long that poll may wait. */
  #timeoutNs = Infinity;

  constructor(serve: (connection: Socket) => ServerTask) {
    this.#serve = serve;
  }

  *run(task: ServerTask): ServerTask {
    const main = this.#start(task);
    try {
      while (main.step.done !== true) {
        yield* poll(this.#waiting, this.#timeoutNs);
        this.#timeoutNs = Infinity;
        const turns = [...this.#next.splice(0), ...this.#waiting.takeReady()];
        for (const coroutine of turns) yield* this.#turn(coroutine);
      }
    } finally {
      for (const socket of this.#open) yield* close(socket, null);
    }
  }

  #start(task: ServerTask): Coroutine {
    const coroutine: Coroutine = { task, step: task.next() };
    this.#goOn(coroutine, 0);
    return coroutine;
  }

  /** Gives a coroutine its next turn after the next poll, which waits no longer than this for the others' sockets. */
  #goOn(coroutine: Coroutine, withinNs: number): void {
    this.#next.push(coroutine);
    this.#timeoutNs = Math.min(this.#timeoutNs, withinNs);
  }

  *#turn(coroutine: Coroutine): ServerTask {
    const { task } = coroutine;
    for (let calls = 0; calls < CALLS_PER_TURN; calls++) {
      if (coroutine.step.done === true) return;
      const call = coroutine.step.value;
      let result: number;
      try {
        result = yield* this.#perform(call);
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

  /** Makes a coroutine's call. Result: the call's, or `NOTHING` if it would have blocked. */
  *#perform(call: SystemCall): ServerTask<number> {
    switch (call.call) {
      case 'accept':
      case 'recv':
      case 'send':
        return yield { ...call, nonblocking: true };
      case 'startThread':
        this.#open.add(call.socket);
        this.#start(this.#connection(call.socket));
        return 0;
      case 'sleep':
        return 0;
      case 'close':
        this.#open.delete(call.socket);
        return yield call;
      case 'toolkit':
        return yield call;
      case 'poll':
      case 'zmqProxy':
        throw new Error(`a coroutine cannot «${call.call}»: it would block all the others`);
    }
  }

  #wait(coroutine: Coroutine, call: SystemCall): void {
    if (call.call === 'accept') this.#waiting.add(call.listener, READABLE, coroutine);
    else if (call.call === 'recv') this.#waiting.add(call.socket, READABLE, coroutine);
    else if (call.call === 'send') this.#waiting.add(call.socket, WRITABLE, coroutine);
  }

  /** A connection's whole life, its end included. */
  *#connection(socket: Socket): ServerTask {
    let error: string | null = null;
    try {
      yield* this.#serve(socket);
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.message : String(thrown);
    }
    yield* close(socket, error);
  }
}
