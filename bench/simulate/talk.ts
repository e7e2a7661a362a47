/** The talk's tables: seconds for 10,000 messages of 8 KiB with a pause of 1 ms, on 8 CPUs of a c1.xlarge of 2011. */
import type { Scenario } from '../result.ts';

/** A published figure. */
export interface TalkFigure {
  /** The table it stands in. */
  readonly table: string;
  readonly server: string;
  readonly policy: string;
  readonly scenario: Scenario;
  readonly seconds: number;
}

const SERVERS = ['native', 'zeromq', 'multiprocessing', 'blocking', 'nonblocking'] as const;

function table(
  name: string,
  policy: string,
  scenario: Scenario,
  seconds: Partial<Record<(typeof SERVERS)[number], number>>,
) {
  return SERVERS.flatMap((server): TalkFigure[] => {
    const published = seconds[server];
    return published === undefined ? [] : [{ table: name, server, policy, scenario, seconds: published }];
  });
}

export const TALK_FIGURES: readonly TalkFigure[] = [
  ...table('unloaded', 'py32', 'unloaded', {
    native: 12.8,
    zeromq: 13.0,
    multiprocessing: 11.6,
    blocking: 11.8,
    nonblocking: 12.2,
  }),
  ...table('Python 3.2', 'py32', 'loaded', {
    native: 12.6,
    zeromq: 91.6,
    multiprocessing: 103.3,
    blocking: 142.7,
    nonblocking: 126.2,
  }),
  ...table('PyPy 1.6', 'pypy16', 'loaded', { blocking: 6689.2, nonblocking: 4975.0 }),
  ...table('Python 2.7', 'py27', 'loaded', {
    native: 12.6,
    zeromq: 27.7,
    multiprocessing: 15.0,
    blocking: 15.6,
    nonblocking: 18.1,
  }),
  ...table('priorities', 'priority', 'loaded', {
    native: 12.6,
    zeromq: 17.6,
    multiprocessing: 14.2,
    blocking: 13.0,
    nonblocking: 14.0,
  }),
];
