/** Ctrl-C. The first ends the cell that is being measured in an orderly way, the second at once; either way what is finished is kept. */
import type { Progress } from './progress.ts';

/** Signals that ask the program to end. */
export const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs something that can be interrupted.
 *
 * @param work is given the two signals, the first and the second Ctrl-C
 */
export async function interruptible<Result>(
  progress: Progress,
  work: (interrupted: AbortSignal, killed: AbortSignal) => Promise<Result>,
): Promise<Result> {
  return untilTold(work, () => {
    progress.say('interrupted: ending the cell that is being measured; once more ends it at once');
  });
}

/**
 * Runs something until a signal asks it to end.
 *
 * @param work is given the two signals, the first and the second Ctrl-C
 * @param onFirst called with the first
 */
export async function untilTold<Result>(
  work: (told: AbortSignal, killed: AbortSignal) => Promise<Result>,
  onFirst: () => void = () => {},
): Promise<Result> {
  const tell = new AbortController();
  const kill = new AbortController();
  const onSignal = () => {
    if (tell.signal.aborted) {
      kill.abort();
      return;
    }
    onFirst();
    tell.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    return await work(tell.signal, kill.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
