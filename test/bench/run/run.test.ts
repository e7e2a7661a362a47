import { expect, it } from 'vitest';
import { type BenchArguments, OPTIONS } from '../../../bench/options/bench.ts';
import type * as ReadBench from '../../../bench/options/read-bench.ts';
import { KEEP_NOTHING, type Keeper } from '../../../bench/run/keep.ts';
import { Progress } from '../../../bench/run/progress.ts';
import type * as Run from '../../../bench/run/run.ts';
import { compiled } from '../../compiled.ts';

const DEFAULTS = Object.fromEntries(
  Object.entries(OPTIONS).flatMap(([name, option]) => ('default' in option ? [[name, option.default]] : [])),
);

/** Runs two rounds of one server unloaded. Returns what was done, in its order. */
async function order(beforeRound: (round: number) => void): Promise<string[]> {
  // Compiled: it starts processes.
  const { readOptions }: typeof ReadBench = await import(compiled('bench/options/read-bench.js').href);
  const { run }: typeof Run = await import(compiled('bench/run/run.js').href);
  const few = { server: ['blocking'], policy: ['py32', 'py27'], messages: '5', warmup: '5', rounds: '2' };
  const args = { ...DEFAULTS, ...few, scenario: ['unloaded'] } as unknown as BenchArguments;
  const done: string[] = [];
  const interrupted = new AbortController();
  const keeper: Keeper = { ...KEEP_NOTHING, keep: async ({ round }) => void done.push(`measured in ${round}`) };
  const beforeRounds = {
    async before(round: number) {
      done.push(`before ${round}`);
      try {
        beforeRound(round);
      } catch {
        interrupted.abort();
      }
    },
  };
  const progress = new Progress(4, { write: () => {} }, true);
  const never = new AbortController().signal;
  await run(await readOptions(args, []), { progress, keeper, beforeRounds }, interrupted.signal, never);
  return done;
}

it('does what is to be done before each round, and then measures all its cells', async () => {
  const cells = (round: number) => [`measured in ${round}`, `measured in ${round}`];
  expect(await order(() => {})).toEqual(['before 1', ...cells(1), 'before 2', ...cells(2)]);
});

it('measures no round before which it was interrupted', async () => {
  const done = await order((round) => {
    if (round === 2) throw new Error('Ctrl-C');
  });
  expect(done).toEqual(['before 1', 'measured in 1', 'measured in 1', 'before 2']);
});
