/** Reads a trace as a viewer does, and refuses what one would misrender. */
import { z } from 'zod';

const eventSchema = z.discriminatedUnion('ph', [
  // Metadata without a time: strict, so that one is refused.
  z.strictObject({
    ph: z.literal('M'),
    pid: z.number(),
    tid: z.number().optional(),
    name: z.enum(['process_name', 'process_sort_index', 'thread_name', 'thread_sort_index']),
    args: z.record(z.string(), z.union([z.string(), z.number()])),
  }),
  z.strictObject({
    ph: z.literal('B'),
    ...{ pid: z.number(), tid: z.number(), ts: z.number(), name: z.string() },
    args: z.record(z.string(), z.number()).optional(),
  }),
  z.strictObject({ ph: z.literal('E'), pid: z.number(), tid: z.number(), ts: z.number() }),
  z.strictObject({
    ph: z.literal('i'),
    ...{ pid: z.number(), tid: z.number(), ts: z.number(), name: z.string(), s: z.literal('t') },
    args: z.strictObject({ by: z.string() }).optional(),
  }),
  z.strictObject({
    ph: z.enum(['s', 'f']),
    ...{ pid: z.number(), tid: z.number(), ts: z.number(), name: z.string(), cat: z.string(), id: z.number() },
    bp: z.literal('e').optional(),
  }),
]);

const fileSchema = z.strictObject({
  displayTimeUnit: z.literal('ms'),
  otherData: z.record(z.string(), z.string()),
  traceEvents: z.array(eventSchema),
});

interface ReadSlice {
  readonly name: string;
  readonly fromUs: number;
  readonly untilUs: number;
}

export interface ReadThread {
  readonly process: string;
  readonly name: string;
  readonly slices: readonly ReadSlice[];
}

export interface ReadTrace {
  readonly threads: readonly ReadThread[];
  /** The slices that each arrow leads from and to. */
  readonly arrows: readonly { readonly from: ReadSlice; readonly to: ReadSlice }[];
}

/** @throws if slices overlap, ends have no beginnings, threads have no names, arrows lead from or to nowhere, or numbers are large */
export function readTrace(text: string): ReadTrace {
  const { traceEvents } = fileSchema.parse(JSON.parse(text));
  const processes = new Map<number, string>();
  const threads = new Map<
    number,
    { process: string; name: string; slices: ReadSlice[]; open: ReadSlice | null; atUs: number }
  >();
  const ends = new Map<number, { from?: ReadSlice; to?: ReadSlice; leavesUs?: number; arrivesUs?: number }>();
  const refuse = (why: string): never => {
    throw new Error(why);
  };
  for (const event of traceEvents) {
    if (event.ph === 'M') {
      if (event.name === 'process_name') processes.set(event.pid, String(event.args['name']));
      if (event.name !== 'thread_name' || event.tid === undefined) continue;
      if (threads.has(event.tid)) refuse(`two threads are ${event.tid}`);
      const process = processes.get(event.pid) ?? refuse(`process ${event.pid} has no name`);
      threads.set(event.tid, { process, name: String(event.args['name']), slices: [], open: null, atUs: -Infinity });
      continue;
    }
    const thread = threads.get(event.tid) ?? refuse(`thread ${event.tid} has no name`);
    if (event.ph === 'i') continue;
    if (event.ts < thread.atUs) refuse(`${thread.name} goes back in time`);
    thread.atUs = event.ts;
    if (event.ph === 'B') {
      if (thread.open !== null) refuse(`${thread.name} is in two states at ${event.ts}`);
      thread.open = { name: event.name, fromUs: event.ts, untilUs: Number.NaN };
    } else if (event.ph === 'E') {
      const open = thread.open ?? refuse(`${thread.name} ends a slice it has not begun`);
      thread.slices.push(Object.assign(open, { untilUs: event.ts }));
      thread.open = null;
    } else {
      const open = thread.open ?? refuse(`an arrow of ${thread.name} at ${event.ts} is in no slice`);
      const arrow = ends.get(event.id) ?? {};
      const end = event.ph === 's' ? { from: open, leavesUs: event.ts } : { to: open, arrivesUs: event.ts };
      ends.set(event.id, { ...arrow, ...end });
    }
  }
  for (const [tid, { name, open }] of threads) {
    if (open !== null) refuse(`${name} never ends`);
    if (tid > 10_000) refuse(`thread number ${tid} is too large for a viewer`);
  }
  const arrows = [...ends].map(([id, { from, to, leavesUs = 0, arrivesUs = 0 }]) => {
    // Events of one time are taken in the order of the file, which is not that of time.
    if (leavesUs >= arrivesUs) refuse(`arrow ${id} arrives before it has left`);
    return { from: from ?? refuse('an arrow comes from nowhere'), to: to ?? refuse('an arrow leads nowhere') };
  });
  return { threads: [...threads.values()], arrows };
}
