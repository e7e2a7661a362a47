/**
 * A machine in numbers: what the operating system, the sockets and libzmq cost there. A profile is a JSON file, measured by `convoy
 * calibrate` or fitted to results of another machine; this schema says what each of its numbers means.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../exit-codes.ts';
import c1Xlarge2011 from './profiles/c1.xlarge-2011.json' with { type: 'json' };
import thisMachine from './profiles/this-machine.json' with { type: 'json' };

const ns = (meaning: string) => z.number().int().nonnegative().max(1e12).describe(`nanoseconds: ${meaning}`);

const quantiles = (meaning: string, leastNs = 0) =>
  z
    .array(z.tuple([z.number().min(0).max(1), z.number().int().min(leastNs)]))
    .min(2)
    .refine((table) => table[0]?.[0] === 0 && table.at(-1)?.[0] === 1, 'begins at share 0 and ends at share 1')
    .refine(
      (table) =>
        table.every(
          ([share, value], i) =>
            i === 0 || (share > (table[i - 1]?.[0] ?? 0) && value >= (table[i - 1]?.[1] ?? leastNs)),
        ),
      'ascends',
    )
    .describe(`quantiles, [share of values that are not larger, nanoseconds]: ${meaning}`);

const wake = z.strictObject({
  callNs: quantiles('what it takes the waker more than a call that wakes nobody'),
  leadNs: quantiles('from the end of that until the thread runs; less than 0: it runs before', -1e9),
});

const idleNs = ns('how long the CPU has been idle at least');

const ascends = [
  (wakes: readonly { idleNs: number }[]) =>
    wakes.every((each, i) => i === 0 || each.idleNs > (wakes[i - 1]?.idleNs ?? 0)),
  'ascends',
] as const;

const enteringWakes = z
  .array(
    z.strictObject({
      idleNs,
      callNs: wake.shape.callNs,
      latencyNs: quantiles('from then on until the thread runs; of a call that is long it is long, too'),
    }),
  )
  .refine(...ascends);

const asleepWakes = z
  .array(wake.extend({ idleNs }))
  .min(1)
  .refine(...ascends);

export const profileSchema = z.strictObject({
  name: z.string(),
  summary: z.string().describe('which machine, and how its numbers were found'),
  cpus: z.number().int().positive().describe('CPUs of the machine, unless --cpus says otherwise'),
  interpreterCostNs: ns('work under the lock before each call of the server, unless --interpreter-cost says otherwise'),
  leafNs: ns('a leaf of interpreter work with its yield point; a yield point comes once in each').min(1),
  lock: z
    .strictObject({
      atomicNs: ns('a step of a policy that neither sleeps nor wakes'),
      lineNs: ns('what a step takes more for each cache line that another CPU had last'),
      offerNs: ns('an offer of the lock at a yield point, without the steps of the policy'),
      futexCallNs: ns('a call of futex(2) that wakes, by itself'),
      futexWakeNs: ns('what it takes the caller more for each thread it wakes'),
      futexWaitNs: ns('a call of futex(2) that finds another word than it was to sleep on'),
      contention: z
        .strictObject({
          waitNs: quantiles('a wait that finds another word, without the cache lines it takes'),
          looksAfter: z
            .number()
            .min(0)
            .max(1)
            .describe('which part of a wait is over when the kernel compares the word'),
          heldUpNs: quantiles('what a call takes more that wakes nobody, if such a wait comes meanwhile'),
        })
        .optional()
        .describe(
          'how calls of two CPUs on one word hold each other up; if absent not at all, and a wait compares after half of a call',
        ),
      cold: z
        .strictObject({
          afterNs: ns('how long a thread has slept'),
          extraNs: z.strictObject({
            step: quantiles('the first step of a policy after that'),
            wait: quantiles('the first wait for the lock, all of it before the look at the word'),
            wake: quantiles('the first call that wakes a thread'),
            offer: quantiles('a call that wakes, or nobody, of a thread that was awake for so long without any'),
            work: quantiles('the first interpreter work'),
            way: quantiles('the first way into the kernel and back'),
            recv: quantiles('the first recv that finds data'),
            send: quantiles('the first send'),
            nothing: quantiles('the first call that finds nothing'),
            poll: quantiles('the first poll'),
            zmqWay: quantiles('the first way of a send through zeromq.js'),
            zmqSend: quantiles('the first send through zeromq.js, after its way'),
          }),
        })
        .optional()
        .describe(
          'what things take more that a thread has not done since it slept for long: for all of them the same share is drawn; if absent nothing',
        ),
    })
    .refine(({ futexCallNs, futexWaitNs }) => 2 * futexWaitNs >= futexCallNs, {
      path: ['futexWaitNs'],
      message: 'is no less than half of futexCallNs, after which it looks at the word',
    }),
  scheduler: z.strictObject({
    wakeIdleNs: quantiles('from the moment a thread is woken until it runs, on a CPU that was idle'),
    idle: z
      .strictObject({
        polling: z.strictObject({
          firstNs: ns('how long a CPU polls after it was woken soon after it had stopped polling'),
          maxNs: ns('the most it ever polls; it doubles up to that, and begins anew after a longer sleep'),
        }),
        polled: wake.describe('of a CPU that polls'),
        entering: enteringWakes.describe(
          'of a CPU that its last thread has just left, and that is on its way to polling or sleeping',
        ),
        asleep: asleepWakes.describe('of a CPU that has stopped polling'),
      })
      .optional()
      .describe('how waking an idle CPU depends on how long it has been idle; if absent not at all'),
    preemptNs: quantiles("the same where it displaces another thread, of a CPU that is not the waker's"),
    queueNs: ns(
      'what it takes to wake a thread that has to wait for its CPU, through a futex: none is interrupted; if absent what it takes otherwise',
    ).optional(),
    switchNs: ns('from one thread of a run queue to the next'),
    sliceNs: ns('after which the next thread of the queue has its turn, at the next tick'),
    tickNs: ns('between two timer ticks, at which the kernel looks whether a slice is over').min(1),
    interrupts: z
      .strictObject({
        everyNs: ns('between two of them, on average; 0: none'),
        durationNs: quantiles('how long one takes from the thread that runs'),
      })
      .describe('what takes a CPU from its thread and gives it back: timer ticks, devices, the hypervisor'),
    fairness: z
      .discriminatedUnion('kind', [
        z.strictObject({
          kind: z.literal('cfs').describe('until Linux 6.5'),
          wakeupGranularityNs: ns('a thread that wakes displaces one that has had more than this more of the CPU'),
          sleeperCreditNs: ns('of run time that a thread which slept is thought to have missed'),
        }),
        z.strictObject({
          kind: z.literal('eevdf').describe('since Linux 6.6, as it is in 6.18'),
        }),
      ])
      .describe('who of the threads that want a CPU has it next'),
  }),
  timers: z.strictObject({
    pauseOvershootNs: quantiles('how late the client wakes from the pause after a message'),
    timeoutOvershootNs: quantiles('how late the time-out of a futex is'),
  }),
  sockets: z.strictObject({
    recvNs: ns('a recv that finds data, without the copying'),
    sendNs: ns('a send with all that the kernel does in it, without the copying and without waking the receiver'),
    perKibNs: ns('copying 1 KiB in a recv or a send'),
    nothingNs: ns('a call that finds nothing, or goes to sleep'),
    pollNs: ns('a poll'),
    wakeNs: ns('what it takes the sender more to wake the receiver, unless scheduler.idle says'),
    wayNs: ns('a way into the kernel and back, for nothing').optional(),
    bufferBytes: z.number().int().positive().describe('bytes that a connection holds in each direction'),
  }),
  zeromq: z.strictObject({
    callNs: ns('zmq_send or zmq_recv, without waking or waiting'),
    ioNs: ns(
      'what the I/O thread of libzmq does with one batch of 8 KiB or less in one direction, without the copying',
    ),
    wayNs: ns('the way of a send through zeromq.js, from the thread that sends to libzmq'),
    sendNs: ns('what zeromq.js adds to a send'),
    eventLoopNs: ns('receiving in an event loop instead: what zeromq.js adds'),
  }),
  client: z.strictObject({
    messageNs: ns('what the client does between two calls of a round trip'),
    encodeNs: ns('encoding the payload, or decoding it, for multiprocessing'),
  }),
});
export type Profile = z.infer<typeof profileSchema>;

/** Those that come with Convoy. */
const PROFILES: Readonly<Record<string, unknown>> = {
  'this-machine': thisMachine,
  'c1.xlarge-2011': c1Xlarge2011,
};
export const PROFILE_NAMES: readonly string[] = Object.keys(PROFILES);

/**
 * @param name of one that comes with Convoy, or the path of a file
 * @throws UsageError if there is none, or it is not whole
 */
export async function loadProfile(name: string): Promise<Profile> {
  if (name in PROFILES) return checked(PROFILES[name], name);
  if (!/[/\\]|\.json$/.test(name)) {
    throw new UsageError(`there is no profile «${name}»; there are ${PROFILE_NAMES.join(', ')}, or the path of a file`);
  }
  const path = resolve(name);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`profile ${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  return checked(value, path);
}

function checked(value: unknown, where: string): Profile {
  const result = profileSchema.safeParse(value);
  if (result.success) return result.data;
  throw new UsageError(`${where} is no profile:\n${z.prettifyError(result.error)}`);
}
