/**
 * Calibrates the machine in the rounds of a run, once before each, so that what is simulated with the profile is held against what the same
 * minutes measured: a shared machine is another from quarter to quarter of an hour.
 */
import { basename } from 'node:path';
import { writeProfile } from '../profiles/write-profile.ts';
import { whyNotWritten } from '../result/result-file.ts';
import type { Progress } from '../run/progress.ts';
import type { BeforeRounds } from '../run/run.ts';
import { Calibration } from './calibrate.ts';

export class RoundCalibration implements BeforeRounds {
  readonly #path: string;
  readonly #calibration: Pick<Calibration, 'sample' | 'profile'>;

  /** @param path of the profile, written anew for each round */
  constructor(
    path: string,
    calibration: Pick<Calibration, 'sample' | 'profile'> = new Calibration(basename(path, '.json')),
  ) {
    this.#path = path;
    this.#calibration = calibration;
  }

  /** Calibrates. A failure is said, and costs the profile this round, and the run nothing. */
  async before(round: number, progress: Progress, interrupted: AbortSignal): Promise<void> {
    try {
      await this.#calibration.sample((what) => {
        interrupted.throwIfAborted();
        progress.preparing(round, `calibrating: ${what}`);
      });
      const profile = await this.#calibration.profile();
      const why = await whyNotWritten(this.#path, () => writeProfile(this.#path, profile));
      if (why !== null) progress.say(`${why}; the run goes on`);
    } catch (error) {
      if (interrupted.aborted) return;
      progress.say(`round ${round} is not in ${this.#path}: ${error instanceof Error ? error.message : error}`);
    }
  }
}
