/** Small worlds whose times can be added up by hand. */
import { expect, it } from 'vitest';
import { readCounts } from '../../../../lock/counters.ts';
import { createLockState } from '../../../../lock/global-lock.ts';
import { VirtualLock, VirtualLockState } from '../../../../lock/machines/virtual-time/lock.ts';
import {
  type Cold,
  type Costs,
  FIRST_SCHEDULER_KIND,
  KINDS,
  Machine,
  type Scheduler,
  subjectOf,
} from '../../../../lock/machines/virtual-time/machine.ts';
import { OP, VirtualWords } from '../../../../lock/machines/virtual-time/memory.ts';
import type { Program, VirtualThread } from '../../../../lock/machines/virtual-time/thread.ts';
import { INTS_PER_WORD, type Memory, type Steps } from '../../../../lock/memory.ts';
import py27 from '../../../../lock/policies/py27.ts';
import py32 from '../../../../lock/policies/py32.ts';
import { definePolicy, type Policy } from '../../../../lock/policy.ts';

const ATOMIC = 10;
const FUTEX = 100;
/** Of a wait that does not sleep; to the moment at which the kernel compares it is half a call that wakes. */
const WAIT = 130;
const WAY_IN = FUTEX / 2;
const WAKE_CALL = 1_000;
const LATENCY = 500;
const LEAF = 100;
const INTERVAL = 5_000_000;

/** A CPU for every thread, which it has some time after it was woken. */
class EnoughCpus implements Scheduler {
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  wake(thread: VirtualThread, by: VirtualThread | null): null {
    const atNs = this.#machine.nowNs + (this.#machine.nowNs === 0 && by === null ? 0 : LATENCY);
    this.#machine.events.push(atNs, thread.number * KINDS + FIRST_SCHEDULER_KIND, 0);
    return null;
  }

  leave(): void {}

  onEvent(what: number): void {
    this.#machine.resume(this.#machine.threads[subjectOf(what)] as VirtualThread);
  }
}

/** A machine, and a way to start threads under one lock. */
function world(policy: Policy, options: Record<string, number> = {}, changes: Partial<Costs> = {}) {
  const costs = {
    atomicNs: ATOMIC,
    lineNs: 0,
    offerNs: 0,
    futexCallNs: FUTEX,
    futexWakeNs: WAKE_CALL,
    futexWaitNs: WAIT,
    timerOvershootNs: () => 0,
    ...changes,
  };
  const machine = new Machine(costs);
  machine.scheduler = new EnoughCpus(machine);
  const state = new VirtualLockState(policy, options, policy.name, createLockState(policy), LEAF);
  let number = 1;
  const start = (program: (thread: VirtualThread, lock: VirtualLock) => Program) =>
    machine.start(`thread ${number}`, (thread) =>
      program(thread, new VirtualLock(state, number++, thread, machine, LEAF / 2)),
    );
  return { machine, start, state };
}

function* spin(_thread: VirtualThread, lock: VirtualLock): Program {
  yield lock.acquire();
  yield lock.work(Infinity);
}

/** py27, which does something more before it releases. */
function beforeRelease(more: (m: Memory, words: Readonly<Record<string, number>>) => Steps): Policy {
  return {
    ...py27,
    rules(words, options) {
      const rules = py27.rules(words, options);
      return {
        ...rules,
        *release(m, me) {
          yield* more(m, words);
          yield* rules.release(m, me);
        },
      };
    },
  };
}

it('a free lock costs its steps and no more', () => {
  const { machine, start } = world(py32, { interval: INTERVAL });
  const times: number[] = [];
  start(function* (_thread, lock) {
    yield lock.acquire();
    times.push(machine.nowNs);
    yield lock.release();
    times.push(machine.nowNs);
    yield lock.acquire();
    times.push(machine.nowNs);
  });
  machine.run(Infinity);
  // LOCK, LAST_HOLDER, compareExchange, LAST_HOLDER, store, notify, DROP_REQUEST; DROP_REQUEST, add, WAITERS, DROP_REQUEST; the same thread again: 5.
  expect(times).toEqual([6 * ATOMIC + FUTEX, 10 * ATOMIC + FUTEX, 15 * ATOMIC + FUTEX]);
});

it('under py32 a waiter asks after an interval, and the holder answers at the end of its leaf, as soon as the waiter is asleep again', () => {
  const { machine, start } = world(py32, { interval: INTERVAL });
  start(spin);
  let heldAtNs = 0;
  start(function* (thread, lock) {
    yield thread.run(1_050);
    yield lock.acquire();
    heldAtNs = machine.nowNs;
    machine.stopped = true;
    yield thread.sleep();
  });
  machine.run(20_000_000);
  // Asleep after 3 steps and half a call; awake an interval and a latency later; 2 steps to ask; asleep again after one and half a call.
  const asleepNs = 1_050 + 3 * ATOMIC + WAY_IN;
  const askedNs = asleepNs + INTERVAL + LATENCY + 2 * ATOMIC;
  const asleepAgainNs = askedNs + ATOMIC + WAY_IN;
  // The holder has worked since it had the lock. Its leaf is over before that; it sees the request again, and then looks.
  const workingSinceNs = 6 * ATOMIC + FUTEX;
  const leaves = Math.floor((askedNs - workingSinceNs) / LEAF) + 1;
  const beginsToLookNs = workingSinceNs + leaves * LEAF + ATOMIC;
  expect(beginsToLookNs).toBeLessThan(asleepAgainNs);
  const looks = Math.ceil((asleepAgainNs - beginsToLookNs) / FUTEX);
  // That call wakes the waiter, which finds the lock held still, and sleeps; then it is free: add, WAITERS, and the call.
  const freeNs = beginsToLookNs + looks * FUTEX + WAKE_CALL + ATOMIC;
  const wokenNs = freeNs + ATOMIC + FUTEX;
  // It takes the lock: LOCK, LAST_HOLDER, compareExchange, WAITERS, LAST_HOLDER, store, notify, DROP_REQUEST and its store.
  expect(heldAtNs).toBe(wokenNs + LATENCY + 8 * ATOMIC + FUTEX);
});

it('a wait that finds another value takes a whole call, and what it found may be over when it is back', () => {
  const found: [number, number][] = [];
  const looking = definePolicy({
    name: 'looking',
    summary: 'waits on a word until it changes; in the test alone',
    exclusive: true,
    claims: [],
    words: { WORD: '0, but 1 for a moment' },
    options: {},
    rules({ WORD }) {
      return {
        *acquire(m) {
          yield m.wait(WORD, 0, Infinity);
          const value = yield m.load(WORD);
          found.push([machine.nowNs, value]);
        },
        *release(m) {
          yield m.store(WORD, 1);
          yield m.store(WORD, 0);
        },
        yieldPoint: { kind: 'never' },
      };
    },
  });
  const { machine, start } = world(looking);
  // The word is 1 when the wait compares, and 0 again before its thread has come back.
  start(function* (thread, lock) {
    yield thread.run(WAY_IN - ATOMIC - 1);
    yield lock.release();
  });
  start(function* (_thread, lock) {
    yield lock.acquire();
  });
  machine.run(Infinity);
  expect(found).toEqual([[WAIT + ATOMIC, 0]]);
});

it('a call that wakes nobody takes more if a wait finds its word changed meanwhile, and so does that wait', () => {
  const HELD_UP = 700;
  const LONG_WAIT = 90;
  const backNs = (startNs: number, cold?: Cold) => {
    const back = { waker: 0, waiter: 0 };
    const meeting = definePolicy({
      name: 'meeting',
      summary: 'one waits on a word that another has changed; in the test alone',
      exclusive: true,
      claims: [],
      words: { WORD: '1' },
      options: {},
      rules({ WORD }) {
        return {
          *acquire(m) {
            yield m.wait(WORD, 0, Infinity);
            back.waiter = machine.nowNs;
          },
          *release(m) {
            yield m.store(WORD, 1);
            yield m.notify(WORD, 1);
            back.waker = machine.nowNs;
          },
          yieldPoint: { kind: 'never' },
        };
      },
    });
    const contention = { waitNs: () => LONG_WAIT, looksAfter: 0.7, heldUpNs: () => HELD_UP };
    const { machine, start } = world(meeting, {}, { contention, cold });
    start(function* (_thread, lock) {
      yield lock.release();
    });
    start(function* (thread, lock) {
      yield thread.run(startNs);
      yield lock.acquire();
    });
    machine.run(Infinity);
    return back;
  };
  // The first look is in the other's call, the second one after it.
  expect(backNs(ATOMIC)).toEqual({ waker: ATOMIC + FUTEX + HELD_UP, waiter: ATOMIC + LONG_WAIT });
  expect(backNs(ATOMIC + FUTEX)).toEqual({
    waker: ATOMIC + FUTEX,
    waiter: ATOMIC + FUTEX + LONG_WAIT,
  });
  // And so is one of a wait that begins in the call, but looks only after 63 ns.
  expect(backNs(ATOMIC + FUTEX / 2).waker).toBe(ATOMIC + FUTEX);
  // How long a cold one is, was measured of calls that are held up.
  const COLD = 500;
  const cold: Cold = { afterNs: 1, share: () => 0, extraNs: (doing) => (doing === 'offer' ? COLD : 0) };
  expect(backNs(ATOMIC, cold).waker).toBe(ATOMIC + FUTEX + COLD);
});

it('under py27 the lock is offered when the ticks are used up, as many apart in the mean', () => {
  const offers: number[] = [];
  const { machine, start } = world(
    beforeRelease(function* () {
      offers.push(machine.nowNs);
    }),
    { check: 100 },
  );
  start(spin);
  machine.run(20_000);
  // Ticks begin at 0: the first look finds none. From then on 100 ticks are 50 leaves.
  const period = 50 * LEAF + 3 * ATOMIC;
  expect(offers.slice(0, 3)).toEqual([ATOMIC, ATOMIC + period, ATOMIC + 2 * period]);
});

it('an offer takes its own time with the lock held, before it is released', () => {
  const released: number[] = [];
  const OFFER = 130;
  const { machine, start } = world(
    beforeRelease(function* (m, words) {
      yield m.store(words['HELD'] as number, 0);
      released.push(machine.nowNs);
    }),
    { check: 100 },
    { offerNs: OFFER },
  );
  start(spin);
  machine.run(20_000);
  const period = 50 * LEAF + OFFER + 4 * ATOMIC;
  expect(released.slice(0, 2)).toEqual([2 * ATOMIC + OFFER, 2 * ATOMIC + OFFER + period]);
});

it('who looks at the lock while an offer of it begins has its cache line, when the lock is released', () => {
  const OFFER = 130;
  const LINE = 40;
  const releasedNs = (looksAtNs: number) => {
    const released: number[] = [];
    const policy = beforeRelease(function* (m, words) {
      yield m.store(words['HELD'] as number, 0);
      released.push(machine.nowNs);
    });
    const { machine, start } = world(policy, { check: 1_000_000 }, { offerNs: OFFER, lineNs: LINE });
    start(spin);
    start(function* (thread, lock) {
      thread.cpu = 1;
      yield thread.run(looksAtNs);
      yield lock.acquire();
    });
    machine.run(1_000);
    return released[0];
  };
  const withoutLook = ATOMIC + OFFER + ATOMIC;
  expect(releasedNs(withoutLook)).toBe(withoutLook);
  expect(releasedNs(ATOMIC + OFFER / 2)).toBe(withoutLook + LINE);
});

it('a thread that is woken waits for its latency, the waker pays for the call', () => {
  const { machine, start } = world(py27, { check: 1_000_000 });
  const times: Record<string, number> = {};
  start(function* (thread, lock) {
    yield lock.acquire();
    yield thread.run(10_000);
    yield lock.release();
    times['released'] = machine.nowNs;
  });
  start(function* (thread, lock) {
    yield thread.run(1_000);
    yield lock.acquire();
    times['acquired'] = machine.nowNs;
  });
  machine.run(Infinity);
  const notifiedNs = ATOMIC + 10_000 + 2 * ATOMIC + FUTEX;
  expect(times).toEqual({ released: notifiedNs + WAKE_CALL, acquired: notifiedNs + LATENCY + 2 * ATOMIC });
});

it('how long a thread waited for the lock counts from the beginning of its wait, not from the look at the word', () => {
  const { machine, start, state } = world(py27, { check: 1_000_000 });
  start(function* (thread, lock) {
    yield lock.acquire();
    yield thread.run(10_000);
    yield lock.release();
  });
  start(function* (thread, lock) {
    yield thread.run(1_000);
    yield lock.acquire();
  });
  machine.run(Infinity);
  const beganNs = 1_000 + 2 * ATOMIC;
  const acquiredNs = ATOMIC + 10_000 + 2 * ATOMIC + FUTEX + LATENCY + 2 * ATOMIC;
  expect(readCounts(new Float64Array(state.buffers.counters), 2).waitNs).toBe(acquiredNs - beganNs);
});

it('work of no length has no yield point', () => {
  const { machine, start, state } = world(py27, { check: 1 });
  start(function* (_thread, lock) {
    yield lock.acquire();
    for (let i = 0; i < 5; i++) yield lock.work(0);
    yield lock.work(3 * LEAF);
    yield lock.release();
  });
  machine.run(Infinity);
  // A leaf is two ticks: one offer in front of each of the three.
  expect(readCounts(new Float64Array(state.buffers.counters), 1).yields).toBe(3);
});

it('what a thread has not done since it slept for long takes more, once; one that works all the time keeps in practice', () => {
  const shares = [0.1, 0.2];
  const cold: Cold = {
    afterNs: 1_000,
    share: () => shares.shift() ?? 0,
    extraNs: (doing, share) => (doing === 'recv' ? 1_000 * share : 0),
  };
  const { machine } = world(py32, { interval: INTERVAL }, { cold });
  const extras: number[] = [];
  machine.start('caller', function* (thread) {
    const call = () => extras.push(machine.coldNs(thread, 'recv'), machine.coldNs(thread, 'send'));
    call();
    yield thread.run(1_001);
    call();
    yield thread.sleepFor(1_000, 1);
    call();
    yield thread.sleepFor(1_001, 1);
    call();
  });
  machine.run(Infinity);
  // A new one is as cold as most are.
  expect(extras).toEqual([500, 0, 0, 0, 0, 0, 100, 0]);
});

it('a call that wakes takes more if its thread worked for long without making one, and not if it slept', () => {
  const shares = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
  const cold: Cold = {
    afterNs: 1_000,
    share: () => shares.shift() ?? 0,
    extraNs: (doing, share) => (doing === 'offer' ? 1_000 * share : 0),
  };
  const { machine } = world(py32, { interval: INTERVAL }, { cold });
  const extras: number[] = [];
  machine.start('caller', function* (thread) {
    const call = () => extras.push(machine.coldOfferNs(thread));
    call();
    yield thread.run(1_000);
    call();
    yield thread.run(1_001);
    call();
    yield thread.run(501);
    yield thread.sleepFor(500, 1);
    yield thread.run(500);
    call();
    // It is awake, too, as long as it takes to have a CPU.
    yield thread.run(100);
    yield thread.sleepFor(900, 1);
    yield thread.run(900 - LATENCY);
    call();
    // This sleep is long enough for a share of its own.
    yield thread.sleepFor(1_001, 1);
    yield thread.run(1_001);
    call();
  });
  machine.run(Infinity);
  expect(extras).toEqual([100, 0, 200, 300, 0, 0]);
});

it('many short sleeps are a long one for what a thread has not done in any of them', () => {
  const cold: Cold = { afterNs: 1_000, share: () => 0, extraNs: () => 100 };
  const { machine } = world(py32, { interval: INTERVAL }, { cold });
  const extras: number[] = [];
  machine.start('caller', function* (thread) {
    machine.coldNs(thread, 'recv');
    for (let i = 0; i < 2; i++) {
      yield thread.sleepFor(600, 1);
      extras.push(machine.coldNs(thread, 'step'));
    }
    extras.push(machine.coldNs(thread, 'recv'), machine.coldNs(thread, 'recv'));
  });
  machine.run(Infinity);
  expect(extras).toEqual([100, 0, 100, 0]);
});

it('a step takes longer whose cache line another CPU had last, and not the next one', () => {
  const lineNs = 7;
  const { machine, start } = world(py27, { check: 100 }, { lineNs });
  const times: number[] = [];
  const use = (cpu: number) =>
    start(function* (thread, lock) {
      thread.cpu = cpu;
      yield thread.run(1_000 * cpu);
      for (let i = 0; i < 2; i++) {
        const beganNs = machine.nowNs;
        yield lock.acquire();
        const heldNs = machine.nowNs;
        yield lock.release();
        times.push(heldNs - beganNs, machine.nowNs - heldNs);
      }
    });
  use(0);
  use(1);
  machine.run(Infinity);
  const own = [ATOMIC, 2 * ATOMIC];
  // Held by the other, and the count of waiters looked at by it.
  const fetched = [ATOMIC + lineNs, 2 * ATOMIC + lineNs];
  expect(times).toEqual([own, own, fetched, own].flat());
});

it('who waits takes the line of the word and that of its sleepers, who wakes the latter alone', () => {
  const words = new VirtualWords(2 * INTS_PER_WORD);
  expect([
    words.fetch(OP.notify, 0, 0),
    words.fetch(OP.wait, 0, 1),
    words.fetch(OP.load, 0, 1),
    words.fetch(OP.load, 0, 0),
    words.fetch(OP.notify, 0, 0),
    words.fetch(OP.wait, 0, 1),
    words.fetch(OP.load, INTS_PER_WORD, 1),
  ]).toEqual([0, 1, 0, 1, 1, 2, 0]);
  expect(words.fetches).toBe(5);
});

it('the way into a wait takes more after a long sleep', () => {
  const cold: Cold = { afterNs: 1_000, share: () => 0, extraNs: (doing) => (doing === 'wait' ? 40 : 0) };
  const asleepAtNs = [{}, { cold }].map((changes) => {
    const { machine, start } = world(py27, { check: 100 }, changes);
    start(spin);
    const waiter = start(function* (thread, lock) {
      yield thread.run(1_050);
      yield lock.acquire();
    });
    machine.run(3_000);
    return waiter.asleepSinceNs;
  });
  expect(asleepAtNs).toEqual([1_050 + 2 * ATOMIC + WAY_IN, 1_050 + 2 * ATOMIC + WAY_IN + 40]);
});

it('a wait takes the line of its word when the kernel looks, not when it begins', () => {
  const lineNs = 7;
  const asleepAtNs = [[], [1_100], [1_060, 1_100]].map((touchedAtNs) => {
    const { machine, start } = world(py27, { check: 100 }, { lineNs });
    start(spin);
    const waiter = start(function* (thread, lock) {
      thread.cpu = 1;
      yield thread.run(1_050);
      yield lock.acquire();
    });
    for (const atNs of touchedAtNs) {
      start(function* (thread, lock) {
        yield thread.run(atNs);
        yield lock.acquire();
      });
    }
    machine.run(3_000);
    return waiter.asleepSinceNs;
  });
  // The CPU thread held the lock, and looked for waiters at an offer.
  const untouchedNs = 1_050 + 2 * (ATOMIC + lineNs) + WAY_IN;
  expect(asleepAtNs).toEqual([untouchedNs, untouchedNs + lineNs, untouchedNs + lineNs]);
});

it('each wait takes the line of its word, and not only the first', () => {
  const policy = definePolicy({
    name: 'waiting',
    summary: '',
    exclusive: true,
    words: { WORD: '' },
    options: {},
    rules: ({ WORD }) => ({
      *acquire(m) {
        for (let i = 0; i < 3; i++) yield m.wait(WORD, 1, Infinity);
      },
      *release() {},
      yieldPoint: { kind: 'never' },
    }),
  });
  const { machine, start, state } = world(policy, {}, { lineNs: 7 });
  start(function* (thread, lock) {
    yield thread.run(1);
    yield lock.acquire();
  });
  const ops: number[] = [];
  const fetch = state.words.fetch.bind(state.words);
  state.words.fetch = (op, word, cpu) => {
    ops.push(op);
    return fetch(op, word, cpu);
  };
  machine.run(Infinity);
  expect(ops).toEqual([OP.wait, OP.wait, OP.wait]);
});

it('who was asked while another had its CPU offers at the end of the leaf it is in', () => {
  const { machine, start } = world(py32, { interval: 1_000 });
  const spinner = start(spin);
  let askedFor = -1;
  start(function* (thread, lock) {
    yield thread.run(100);
    yield lock.acquire();
    askedFor = spinner.leavesDone;
  });
  const startedNs = 6 * ATOMIC + FUTEX;
  machine.run(startedNs + 5 * LEAF + LEAF / 2);
  machine.pause(spinner);
  machine.run(2_000);
  machine.resume(spinner);
  machine.run(20_000);
  expect(askedFor).toBe(6);
});

it('time in which nothing can happen any more is not waited for', () => {
  const { machine, start } = world(py32, { interval: INTERVAL });
  start(function* (thread) {
    yield thread.sleep();
  });
  expect(machine.run(1e18)).toBe('stuck');
});

/** A policy that is wrong in its acquire. */
function broken(
  acquire: Policy['rules'] extends (...args: never[]) => infer Rules
    ? Rules extends { acquire: infer A }
      ? A
      : never
    : never,
) {
  return definePolicy({
    name: 'broken',
    summary: 'wrong on purpose',
    exclusive: true,
    words: { WORD: 'a word' },
    options: {},
    rules: () => ({ acquire, *release() {}, yieldPoint: { kind: 'never' } }),
  });
}

it.each([
  [
    'throws',
    broken(function* (m) {
      yield m.load(0);
      throw new Error('oh');
    }),
    /«broken».*throws: oh, after 1 steps/,
  ],
  [
    'yields what is no step',
    broken(function* () {
      yield 7;
    }),
    /«broken».*no step, after 1 steps/,
  ],
  [
    'never ends',
    broken(function* (m) {
      for (;;) yield m.load(0);
    }),
    /«broken».*10000000 steps without an end/,
  ],
  [
    'makes two steps at once',
    broken(function* (m) {
      m.load(0);
      yield m.store(0, 1);
    }),
    /«broken».*two steps at one yield/,
  ],
])('a policy that %s is named, with its steps', (_what, policy, message) => {
  const { machine, start } = world(policy);
  start(spin);
  expect(() => machine.run(1e12)).toThrow(message);
});
