/**
 * Policies that are wrong in one way each, and the property that must give them away. Most are a correct lock with one line moved,
 * changed or left out: the mistakes that are made when locks are written.
 */
import type { Property, Subject } from '../../../lock/machines/interleavings.ts';
import { type Memory, type Steps, TIMED_OUT } from '../../../lock/memory.ts';
import { type Claim, definePolicy, type Policy, type Rules } from '../../../lock/policy.ts';

const FREE = 0;
const HELD = 1;

/** A policy on the words of py32. Each example takes those it needs. */
type Words = Readonly<Record<'LOCKED' | 'WAITERS' | 'GATE' | 'DROP_REQUEST' | 'LAST_HOLDER' | 'OTHER', number>>;

/** Makes a policy of rules alone. */
export function policyOf(rules: (words: Words) => Partial<Rules>, claims: readonly Claim<keyof Words>[] = []): Subject {
  const policy: Policy = definePolicy({
    name: 'example',
    summary: '',
    exclusive: true,
    claims,
    words: { LOCKED: '', WAITERS: '', GATE: '', DROP_REQUEST: '', LAST_HOLDER: '', OTHER: '' },
    options: {},
    rules(words) {
      return {
        acquire: correct(words).acquire,
        release: correct(words).release,
        yieldPoint: { kind: 'never' },
        ...rules(words),
      };
    },
  });
  return { policy, options: {} };
}

/** The lock that the simple twins are twins of: py27's. */
function correct({ LOCKED, WAITERS }: Words): Pick<Rules, 'acquire' | 'release'> {
  return {
    *acquire(m) {
      if ((yield m.compareExchange(LOCKED, FREE, HELD)) === FREE) return;
      yield m.add(WAITERS, 1);
      while ((yield m.compareExchange(LOCKED, FREE, HELD)) !== FREE) yield m.wait(LOCKED, HELD, Infinity);
      yield m.add(WAITERS, -1);
    },
    *release(m) {
      yield m.store(LOCKED, FREE);
      if ((yield m.load(WAITERS)) > 0) yield m.notify(LOCKED, 1);
    },
  };
}

/** The lock of py32, with its requests and its forced switch, in which single lines can be left out. */
function forcedSwitching(
  { LOCKED, WAITERS, DROP_REQUEST, LAST_HOLDER }: Words,
  without: 'nothing' | 'request' | 'time-out' | 'patience' | 'switch' | 'notify of the switch',
): Rules {
  return {
    *acquire(m, me) {
      yield m.add(WAITERS, 1);
      while ((yield m.compareExchange(LOCKED, FREE, HELD)) !== FREE) {
        if (without === 'patience') yield m.store(DROP_REQUEST, 1);
        const outcome = yield m.wait(LOCKED, HELD, without === 'time-out' ? Infinity : 5e6);
        if (outcome === TIMED_OUT && without !== 'request') yield m.store(DROP_REQUEST, 1);
      }
      yield m.add(WAITERS, -1);
      yield m.store(LAST_HOLDER, me);
      if (without !== 'notify of the switch') yield m.notify(LAST_HOLDER, Infinity);
      yield m.store(DROP_REQUEST, 0);
    },
    *release(m, me) {
      yield m.store(LOCKED, FREE);
      if ((yield m.load(WAITERS)) > 0) yield m.notify(LOCKED, 1);
      if (without !== 'switch' && (yield m.load(DROP_REQUEST)) !== 0) {
        while ((yield m.load(LAST_HOLDER)) === me) yield m.wait(LAST_HOLDER, me, Infinity);
      }
    },
    yieldPoint: { kind: 'requested', word: DROP_REQUEST },
  };
}

/** Correct policies on these words: nothing may be found in them. */
export const SOUND: Readonly<Record<string, Subject>> = {
  'a lock of one word and a count of waiters': policyOf(() => ({})),
  'a lock with requests and a forced switch': policyOf(
    (words) => forcedSwitching(words, 'nothing'),
    [{ kind: 'forced-switch' }, { kind: 'timed-request' }],
  ),
  'a lock whose waiters poll, and says so': policyOf((words) => polling(words)),
  'a lock that is quick when nobody contends, and wakes one': policyOf(
    () => ({}),
    [{ kind: 'fast-path', acquire: 1, release: 2 }, { kind: 'single-wake' }],
  ),
  'a ticket lock, of which it claims that nobody is passed by more than those before it': policyOf(ticketLock, [
    { kind: 'bounded-bypass', times: 2 },
  ]),
};

/** A release wakes nobody; who waits looks again after a while. In the manner of today's PyPy, whose waiters poll. */
function polling(
  { LOCKED }: Words,
  { sleepNs = 1e5, afterTwo = sleepNs, looks = true }: { sleepNs?: number; afterTwo?: number; looks?: boolean } = {},
): Rules {
  return {
    *acquire(m) {
      let sleeps = 0;
      while ((yield m.compareExchange(LOCKED, FREE, HELD)) !== FREE) {
        yield m.wait(LOCKED, HELD, sleeps < 2 ? sleepNs : afterTwo);
        if (sleeps < 2) sleeps++;
        while (!looks) yield m.wait(LOCKED, FREE, sleepNs);
      }
    },
    *release(m) {
      yield m.store(LOCKED, FREE);
    },
    yieldPoint: { kind: 'never' },
    pollsEveryNs: 1e5,
  };
}

/** Takes a number, waits until it is called. */
function ticketLock({ OTHER: NEXT, GATE: CALLED }: Words): Rules {
  return {
    *acquire(m) {
      const mine = yield m.add(NEXT, 1);
      for (;;) {
        const called = yield m.load(CALLED);
        if (called === mine) return;
        yield m.wait(CALLED, called, Infinity);
      }
    },
    *release(m) {
      yield m.add(CALLED, 1);
      yield m.notify(CALLED, Infinity);
    },
    yieldPoint: { kind: 'never' },
  };
}

/** A broken policy. */
interface Twin {
  readonly subject: Subject;
  readonly breaks: Property;
  /** The threads that show it; `io1+io1` if absent. */
  readonly model?: string;
}

export const TWINS: Readonly<Record<string, Twin>> = {
  'does nothing at all': {
    breaks: 'one-holder',
    subject: policyOf(() => ({ *acquire() {}, *release() {} })),
  },
  'looks and takes in two steps': {
    breaks: 'one-holder',
    subject: policyOf(({ LOCKED }) => ({
      *acquire(m) {
        while ((yield m.load(LOCKED)) === HELD) yield m.wait(LOCKED, HELD, Infinity);
        yield m.store(LOCKED, HELD);
      },
    })),
  },
  'does not look again after waking': {
    breaks: 'one-holder',
    subject: policyOf(({ LOCKED, WAITERS }) => ({
      *acquire(m) {
        if ((yield m.compareExchange(LOCKED, FREE, HELD)) === FREE) return;
        yield m.add(WAITERS, 1);
        if ((yield m.compareExchange(LOCKED, FREE, HELD)) !== FREE) yield m.wait(LOCKED, HELD, Infinity);
        yield m.store(LOCKED, HELD);
        yield m.add(WAITERS, -1);
      },
    })),
  },
  'releases twice': {
    breaks: 'one-holder',
    subject: policyOf(({ LOCKED, WAITERS }) => ({
      *release(m) {
        yield m.store(LOCKED, FREE);
        if ((yield m.load(WAITERS)) > 0) yield m.notify(LOCKED, 1);
        yield m.store(LOCKED, FREE);
      },
    })),
    model: 'io0+io0+io0',
  },
  'notifies before it stores': {
    breaks: 'no-lost-wake-up',
    subject: policyOf(({ LOCKED }) => ({
      *release(m) {
        yield m.notify(LOCKED, 1);
        yield m.store(LOCKED, FREE);
      },
    })),
  },
  'looks for waiters before it stores': {
    breaks: 'no-lost-wake-up',
    subject: policyOf(({ LOCKED, WAITERS }) => ({
      *release(m) {
        const waiters = yield m.load(WAITERS);
        yield m.store(LOCKED, FREE);
        if (waiters > 0) yield m.notify(LOCKED, 1);
      },
    })),
  },
  'does not notify': {
    breaks: 'no-lost-wake-up',
    subject: policyOf(({ LOCKED }) => ({
      *release(m) {
        yield m.store(LOCKED, FREE);
      },
    })),
  },
  'does not notify, and only a time-out helps': {
    breaks: 'no-lost-wake-up',
    subject: policyOf(({ LOCKED }) => ({
      *acquire(m) {
        while ((yield m.compareExchange(LOCKED, FREE, HELD)) !== FREE) yield m.wait(LOCKED, HELD, 5e6);
      },
      *release(m) {
        yield m.store(LOCKED, FREE);
      },
    })),
  },
  'polls, and does not say so': {
    breaks: 'no-lost-wake-up',
    subject: policyOf((words) => {
      const { pollsEveryNs: _, ...rules } = polling(words);
      return rules;
    }),
  },
  'polls less often than it says': {
    breaks: 'no-lost-wake-up',
    subject: policyOf((words) => polling(words, { sleepNs: 5e6 })),
  },
  'polls twice, and then waits to be woken': {
    breaks: 'no-lost-wake-up',
    model: 'io0+io0',
    subject: policyOf((words) => polling(words, { afterTwo: Infinity })),
  },
  'polls, and looks at the lock no more': {
    breaks: 'progress',
    subject: policyOf((words) => polling(words, { looks: false })),
  },
  'counts the waiter after the look at the lock': {
    breaks: 'no-lost-wake-up',
    subject: policyOf(({ LOCKED, WAITERS, GATE }) => ({
      *acquire(m) {
        for (;;) {
          const closed = yield m.load(GATE);
          if ((yield m.compareExchange(LOCKED, FREE, HELD)) === FREE) return;
          yield m.add(WAITERS, 1);
          yield m.wait(GATE, closed, Infinity);
          yield m.add(WAITERS, -1);
        }
      },
      *release(m) {
        yield m.store(LOCKED, FREE);
        if ((yield m.load(WAITERS)) === 0) return;
        yield m.add(GATE, 1);
        yield m.notify(GATE, 1);
      },
    })),
  },
  'reads the gate after the look at the lock': {
    breaks: 'no-lost-wake-up',
    subject: policyOf(({ LOCKED, GATE }) => ({
      *acquire(m) {
        while ((yield m.compareExchange(LOCKED, FREE, HELD)) !== FREE) {
          yield m.wait(GATE, yield m.load(GATE), Infinity);
        }
      },
      *release(m) {
        yield m.store(LOCKED, FREE);
        yield m.add(GATE, 1);
        yield m.notify(GATE, Infinity);
      },
    })),
  },
  'waits for whatever the word holds': {
    breaks: 'no-lost-wake-up',
    subject: policyOf(({ LOCKED, WAITERS }) => ({
      *acquire(m) {
        yield m.add(WAITERS, 1);
        while ((yield m.compareExchange(LOCKED, FREE, HELD)) !== FREE) {
          const found = yield m.load(LOCKED);
          yield m.wait(LOCKED, found, Infinity);
        }
        yield m.add(WAITERS, -1);
      },
    })),
  },
  'wakes one of a word on which two kinds wait': {
    breaks: 'no-lost-wake-up',
    model: 'io0+io0+io0',
    // The second thread waits for the same word with an aim of its own, and swallows the wake-up.
    subject: policyOf(({ LOCKED, OTHER }) => ({
      *acquire(m, me) {
        if (me === 2) {
          while ((yield m.load(LOCKED)) !== FREE) yield m.wait(LOCKED, HELD, Infinity);
          while ((yield m.load(OTHER)) < 2) yield m.wait(OTHER, yield m.load(OTHER), Infinity);
        }
        while ((yield m.compareExchange(LOCKED, FREE, HELD)) !== FREE) yield m.wait(LOCKED, HELD, Infinity);
      },
      *release(m) {
        yield m.store(LOCKED, FREE);
        yield m.notify(LOCKED, 1);
        yield m.add(OTHER, 1);
        yield m.notify(OTHER, Infinity);
      },
    })),
  },
  'does not tell the thread it forced off': {
    breaks: 'no-lost-wake-up',
    model: 'io1+cpu1',
    subject: policyOf((words) => forcedSwitching(words, 'notify of the switch')),
  },
  'takes two locks in an order of each its own': {
    breaks: 'no-deadlock',
    subject: policyOf(({ LOCKED, OTHER }) => {
      function* take(m: Memory, word: number): Steps {
        while ((yield m.compareExchange(word, FREE, HELD)) !== FREE) yield m.wait(word, HELD, Infinity);
      }
      return {
        *acquire(m, me) {
          yield* take(m, me === 1 ? LOCKED : OTHER);
          yield* take(m, me === 1 ? OTHER : LOCKED);
        },
        *release(m) {
          for (const word of [LOCKED, OTHER]) {
            yield m.store(word, FREE);
            yield m.notify(word, 1);
          }
        },
      };
    }),
  },
  'does not release when nobody waits': {
    breaks: 'no-deadlock',
    subject: policyOf(({ LOCKED, WAITERS }) => ({
      *release(m) {
        if ((yield m.load(WAITERS)) === 0) return;
        yield m.store(LOCKED, FREE);
        yield m.notify(LOCKED, 1);
      },
    })),
  },
  'can be taken twice in all': {
    breaks: 'obtainable',
    model: 'io0+io0',
    subject: policyOf(({ LOCKED, OTHER }) => ({
      *acquire(m) {
        while ((yield m.compareExchange(LOCKED, FREE, HELD)) !== FREE) yield m.wait(LOCKED, HELD, Infinity);
      },
      *release(m) {
        if ((yield m.add(OTHER, 1)) >= 1) return;
        yield m.store(LOCKED, FREE);
        yield m.notify(LOCKED, 1);
      },
    })),
  },
  'spins on a word that nobody changes': {
    breaks: 'progress',
    subject: policyOf(({ LOCKED, OTHER }) => ({
      *acquire(m) {
        if ((yield m.compareExchange(LOCKED, FREE, HELD)) === FREE) return;
        while ((yield m.load(OTHER)) === 0);
      },
    })),
  },
  'waits without sleeping': {
    breaks: 'no-busy-wait',
    subject: policyOf(({ LOCKED }) => ({
      *acquire(m) {
        while ((yield m.compareExchange(LOCKED, FREE, HELD)) !== FREE);
      },
    })),
  },
  'counts its waiters up and never down': {
    breaks: 'zero-at-rest',
    subject: policyOf(
      ({ LOCKED, WAITERS }) => ({
        *acquire(m) {
          yield m.add(WAITERS, 1);
          while ((yield m.compareExchange(LOCKED, FREE, HELD)) !== FREE) yield m.wait(LOCKED, HELD, Infinity);
        },
      }),
      [{ kind: 'zero-at-rest', word: 'WAITERS' }],
    ),
  },
  'does not switch by force': {
    breaks: 'forced-switch',
    model: 'io1+cpu1',
    subject: policyOf((words) => forcedSwitching(words, 'switch'), [{ kind: 'forced-switch' }]),
  },
  'loses the request': {
    breaks: 'timed-request',
    model: 'io0+cpu1',
    subject: policyOf((words) => forcedSwitching(words, 'request'), [{ kind: 'timed-request' }]),
  },
  'asks, and sleeps on without a time-out': {
    breaks: 'timed-request',
    model: 'io0+cpu1',
    subject: policyOf((words) => forcedSwitching(words, 'time-out'), [{ kind: 'timed-request' }]),
  },
  'counts the switch after it took the lock: who looks between the two waits a second interval': {
    breaks: 'timed-request',
    model: 'io0+cpu1',
    subject: policyOf(
      (words) => {
        const { LOCKED, WAITERS, DROP_REQUEST, LAST_HOLDER, OTHER: SWITCH_NUMBER } = words;
        return {
          ...forcedSwitching(words, 'nothing'),
          *acquire(m, me) {
            yield m.add(WAITERS, 1);
            while ((yield m.compareExchange(LOCKED, FREE, HELD)) !== FREE) {
              const switches = yield m.load(SWITCH_NUMBER);
              const outcome = yield m.wait(LOCKED, HELD, 5e6);
              if (outcome === TIMED_OUT && (yield m.load(SWITCH_NUMBER)) === switches) yield m.store(DROP_REQUEST, 1);
            }
            yield m.add(WAITERS, -1);
            yield m.add(SWITCH_NUMBER, 1);
            yield m.store(LAST_HOLDER, me);
            yield m.notify(LAST_HOLDER, Infinity);
            yield m.store(DROP_REQUEST, 0);
          },
        };
      },
      [{ kind: 'timed-request' }],
    ),
  },
  'asks at once, without the wait': {
    breaks: 'patient-request',
    model: 'io0+cpu1',
    subject: policyOf((words) => forcedSwitching(words, 'patience'), [{ kind: 'patient-request' }]),
  },
  'asks whoever has it when its time is over, and not the one that kept it waiting': {
    breaks: 'patient-request',
    model: 'io0+io0+io0',
    subject: policyOf((words) => forcedSwitching(words, 'nothing'), [{ kind: 'patient-request' }]),
  },
  'wakes without a look whether anybody waits': {
    breaks: 'fast-path',
    model: 'io2',
    subject: policyOf(
      ({ LOCKED }) => ({
        *release(m) {
          yield m.store(LOCKED, FREE);
          yield m.notify(LOCKED, 1);
        },
      }),
      [{ kind: 'fast-path', acquire: 1, release: 2 }],
    ),
  },
  'takes a step more than it claims': {
    breaks: 'fast-path',
    model: 'io2',
    subject: policyOf(
      ({ LOCKED, WAITERS }) => ({
        *acquire(m) {
          yield m.add(WAITERS, 1);
          while ((yield m.compareExchange(LOCKED, FREE, HELD)) !== FREE) yield m.wait(LOCKED, HELD, Infinity);
          yield m.add(WAITERS, -1);
        },
      }),
      [{ kind: 'fast-path', acquire: 2, release: 2 }],
    ),
  },
  'wakes all, of whom one can have the lock': {
    breaks: 'single-wake',
    model: 'io0+io0+io0',
    subject: policyOf(
      ({ LOCKED, WAITERS }) => ({
        *release(m) {
          yield m.store(LOCKED, FREE);
          if ((yield m.load(WAITERS)) > 0) yield m.notify(LOCKED, Infinity);
        },
      }),
      [{ kind: 'single-wake' }],
    ),
  },
  'claims that nobody is passed by, and lets anybody in': {
    breaks: 'bounded-bypass',
    model: 'io0+io2',
    subject: policyOf(() => ({}), [{ kind: 'bounded-bypass', times: 1 }]),
  },
  'claims to know priorities, and wakes anybody': {
    breaks: 'priority',
    model: 'io1@1+io2',
    subject: policyOf(() => ({ *setPriority() {} }), [{ kind: 'priority' }]),
  },
  'claims to know priorities, and lets the lower run on': {
    breaks: 'priority',
    model: 'io1@1+cpu1',
    subject: policyOf((words) => ({ ...forcedSwitching(words, 'nothing'), *setPriority() {} }), [{ kind: 'priority' }]),
  },
  throws: {
    breaks: 'well-formed',
    subject: policyOf(({ LOCKED }) => ({
      *acquire(m) {
        yield m.compareExchange(LOCKED, FREE, HELD);
        throw new Error('not today');
      },
    })),
  },
  'yields what is no step': {
    breaks: 'well-formed',
    subject: policyOf(() => ({
      *acquire() {
        yield 7;
      },
    })),
  },
  'forgets a yield': {
    breaks: 'well-formed',
    subject: policyOf(({ LOCKED }) => ({
      *release(m) {
        m.store(LOCKED, FREE);
        yield m.notify(LOCKED, 1);
      },
    })),
  },
  'uses a word it did not declare': {
    breaks: 'well-formed',
    subject: policyOf(({ LOCKED }) => ({
      *acquire(m) {
        yield m.store(LOCKED + 1, HELD);
      },
    })),
  },
  'remembers what it should write into a word': {
    breaks: 'well-formed',
    subject: policyOf(({ LOCKED, OTHER }) => {
      let seen = 0;
      return {
        *acquire(m) {
          while ((yield m.compareExchange(LOCKED, FREE, HELD)) !== FREE) yield m.wait(LOCKED, HELD, Infinity);
          if (seen > 0) yield m.load(OTHER);
          seen = yield m.add(OTHER, 1);
        },
        *release(m) {
          yield m.store(LOCKED, FREE);
          yield m.notify(LOCKED, 1);
        },
      };
    }),
  },
  'keeps a result in the middle of an expression': {
    breaks: 'well-formed',
    subject: policyOf(({ LOCKED, OTHER, GATE }) => ({
      *acquire(m) {
        while ((yield m.compareExchange(LOCKED, FREE, HELD)) !== FREE) yield m.wait(LOCKED, HELD, Infinity);
        if ((yield m.add(OTHER, 1)) + (yield m.load(GATE)) === 2) yield m.load(GATE);
      },
      *release(m) {
        yield m.store(LOCKED, FREE);
        yield m.notify(LOCKED, 1);
      },
    })),
  },
};
