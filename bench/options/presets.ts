/** Options by the name of their purpose. Whatever else is given has precedence over a preset. */

export interface Preset {
  readonly summary: string;
  /** As they would be given on the command line. */
  readonly options: Readonly<Record<string, string | readonly string[]>>;
}

export const PRESETS: Readonly<Record<string, Preset>> = {
  talk: {
    summary: 'the tables of the talk at full length, once; some 25 minutes',
    options: {
      scenario: ['loaded'],
      policy: ['py32', 'pypy16', 'py27', 'priority'],
      messages: '10000',
      size: '8KiB',
      delay: '1ms',
      spinners: '1',
      'spinner-kind': 'fib',
      // py32 loaded takes 100 to 150 s on slow machines; only pypy16, which took the talk two hours, is to be cut off.
      budget: '180s',
      // As in the talk. The shape needs no interval; --rounds 3 gives one, in three times the time.
      rounds: '1',
    },
  },
};

/** `talk (the tables …)`, for the help. */
export function presetSummaries(): string {
  return Object.entries(PRESETS)
    .map(([name, { summary }]) => `${name} (${summary})`)
    .join(', ');
}
