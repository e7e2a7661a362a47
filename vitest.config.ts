import { defineConfig } from 'vitest/config';

/** Ratios of times are taken in these: nothing else may run meanwhile. */
const MEASURING = [
  'test/bench/simulate/calibrate-calls.test.ts',
  'test/bench/simulate/calibrate-libzmq.test.ts',
  'test/bench/simulate/calibrate-offering.test.ts',
  'test/command/bench.test.ts',
  'test/lock/threads.test.ts',
  'test/command/reference.test.ts',
  'test/command/demo-page.test.ts',
  'test/command/report.test.ts',
];

const common = {
  // Long enough for the slowest machine that was met, at three files at once: what hangs, hangs for longer.
  testTimeout: 120_000,
  hookTimeout: 60_000,
  // What a file imports is loaded once, not for each: no test leaves anything in a module, or in the process, for the next.
  isolate: false,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: MEASURING,
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
          ...common,
        },
      },
      {
        test: {
          name: 'alone',
          include: MEASURING,
          fileParallelism: false,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          ...common,
        },
      },
    ],
  },
});
