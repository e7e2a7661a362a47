/** What is said on stderr while a run goes on: between cells, and never while one is timed. */
import { styleText } from 'node:util';
import type { Round } from '../result/result.ts';
import type { PlannedRound } from './plan.ts';
import { nameOf } from './plan.ts';

/** Where progress goes: a terminal shows one line that changes, anything else gets a plain line for each cell. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export class Progress {
  readonly #stream: ProgressStream;
  readonly #total: number;
  readonly #quiet: boolean;
  readonly #startMs = performance.now();
  #done = 0;
  /** Of these: measured before the run was resumed. */
  #resumed = 0;

  /** @param quiet only failures are said */
  constructor(total: number, stream: ProgressStream, quiet = false) {
    this.#total = total;
    this.#stream = stream;
    this.#quiet = quiet;
  }

  /** Before a cell is measured. */
  starting({ round, cell }: PlannedRound): void {
    const left = this.#done === this.#resumed ? '' : `, about ${this.#secondsLeft()} s left`;
    this.preparing(round, `${nameOf(cell)}${left}`);
  }

  /** Before a round, or one of its cells. On a terminal alone: what will be done is no line of its own. */
  preparing(round: number, what: string): void {
    if (this.#quiet || this.#stream.isTTY !== true) return;
    this.#redraw(styleText('dim', `[${this.#done + 1}/${this.#total}] round ${round}: ${what}`));
  }

  /** In the place of both, where a resumed run has it already. */
  resumed(): void {
    this.#done++;
    this.#resumed++;
  }

  /** After it. A failure stays on the screen. */
  finished({ round, cell }: PlannedRound, result: Round): void {
    this.#done++;
    const name = `round ${round}: ${nameOf(cell)}`;
    if (result.state === 'failed') {
      this.say(`${styleText('red', 'failed')} ${name}: ${result.message}`);
    } else if (!this.#quiet && this.#stream.isTTY !== true) {
      const { rttNs, durationNs } = result;
      this.say(
        `[${this.#done}/${this.#total}] ${name}: ${rttNs.length} messages in ${(durationNs / 1e9).toFixed(2)} s`,
      );
    }
  }

  /** After a simulated cell. There may be thousands: only failures are lines of their own. */
  simulated(name: string, result: Round, done: number, total: number): void {
    if (result.state === 'failed') {
      this.say(`${styleText('red', 'failed')} ${name}: ${result.message}`);
    } else if (this.#stream.isTTY === true) {
      this.#redraw(styleText('dim', `[${done}/${total}] ${name}`));
    }
  }

  /** Ends the line that changes. */
  end(): void {
    if (!this.#quiet && this.#stream.isTTY === true) this.#redraw('');
  }

  /** A line of its own, which stays. */
  say(line: string): void {
    this.end();
    this.#stream.write(`${line}\n`);
  }

  #redraw(line: string): void {
    this.#stream.write(`\r\x1b[2K${line}`);
  }

  #secondsLeft(): number {
    const perCellMs = (performance.now() - this.#startMs) / (this.#done - this.#resumed);
    return Math.round((perCellMs * (this.#total - this.#done)) / 1e3);
  }
}
