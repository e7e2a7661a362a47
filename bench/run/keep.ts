/**
 * What a run leaves on the disk while it goes on: after each round a line in the journal, then the whole result. A disk that is full, or
 * gone, costs nothing that was there, does not end the run, and is said; it may have room again for the next round.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { RunOptions } from '../options/read-bench.ts';
import type { Column, Environment, Result, Round } from '../result/result.ts';
import { whyNotWritten, writeResult } from '../result/result-file.ts';
import { JOURNAL_VERSION, Journal, type JournalHeader, refuseOtherRun } from './journal.ts';
import type { PlannedRound } from './plan.ts';
import type { Begun } from './run.ts';

/** What is kept of a run. */
export interface Keeper {
  /** The run begins. */
  begin(begun: Begun): Promise<void>;
  /** A round is finished. */
  keep(step: PlannedRound, round: Round, soFar: Result): Promise<void>;
  /**
   * The run is over.
   *
   * @returns what could not be written, for the user
   */
  end(result: Result): Promise<string[]>;
}

/** Nothing is to be kept. */
export const KEEP_NOTHING: Keeper = {
  begin: async () => {},
  keep: async () => {},
  end: async () => [],
};

/** Keeps a run in a result file, and a journal beside it. */
export class FileKeeper implements Keeper {
  readonly #path: string;
  readonly #options: RunOptions;
  readonly #say: (line: string) => void;
  #journal: Journal | undefined;
  #complained = '';

  /** @param say what the user must hear of while the run goes on */
  constructor(path: string, options: RunOptions, say: (line: string) => void) {
    this.#path = path;
    this.#options = options;
    this.#say = say;
  }

  async begin(begun: Begun): Promise<void> {
    const { resume } = this.#options;
    const header = await headerOf(this.#options, begun);
    if (resume !== null) refuseOtherRun(resume, header);
    await this.#try(async () => {
      this.#journal =
        resume === null
          ? await Journal.begin(this.#path, header, (path) =>
              this.#say(`the journal of an unfinished run is now ${path}`),
            )
          : await Journal.resume(resume);
    });
  }

  async keep(step: PlannedRound, round: Round, soFar: Result): Promise<void> {
    const journalled = await this.#try(async () => this.#journal?.append(step, round));
    const written = await this.#try(() => writeResult(this.#path, soFar));
    if (journalled && written) this.#complained = '';
  }

  async end(result: Result): Promise<string[]> {
    const why = await whyNotWritten(this.#path, () => writeResult(this.#path, result));
    const failed = result.cells.some(({ rounds }) => rounds.some(({ state }) => state === 'failed'));
    if (why === null && !failed && !result.interrupted) {
      await this.#try(async () => this.#journal?.remove());
    } else if (this.#journal !== undefined) {
      await this.#journal.close().catch(() => {});
      this.#say(`--resume ${this.#path} measures what is missing`);
    }
    return why === null ? [] : [why];
  }

  /** Says why something could not be written; the same reason once. */
  async #try(write: () => Promise<unknown>): Promise<boolean> {
    const why = await whyNotWritten(this.#path, write);
    if (why === null) return true;
    if (why !== this.#complained) this.#say(`${why}; what was written before is whole, and the run goes on`);
    this.#complained = why;
    return false;
  }
}

async function headerOf(options: RunOptions, { before, leafNs }: Begun): Promise<JournalHeader> {
  const { servers, policies, scenarios, rounds, seed, workload, given } = options;
  const { cpuTime: _, ...environment } = before;
  const there = await options.machine?.environment();
  return {
    format: 'convoy-journal',
    version: JOURNAL_VERSION,
    given: { ...given, seed: String(seed) },
    plan: { servers: [...servers], policies: [...policies], scenarios: [...scenarios], rounds, seed, workload },
    sources: await hashSources(policies),
    environment,
    ...(there && { serverEnvironment: machineOf(there) }),
    leafNs,
  };
}

/** Without what is known of an environment only at the end. */
function machineOf({ loadAfter: _, stolenShare: __, ...machine }: Environment): JournalHeader['environment'] {
  return machine;
}

async function hashSources(columns: readonly Column[]): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const { label, from } of columns) {
    if (from.kind !== 'file') continue;
    hashes[label] = createHash('sha256')
      .update(await readFile(new URL(from.url)))
      .digest('hex');
  }
  return hashes;
}
