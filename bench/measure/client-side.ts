/** The client side: a process that connects, warms up and makes round trips. `server-side.ts` is its counterpart. */
import { type ClientSetup, clientCommands, type RoundTrips } from '../../client/protocol.ts';
import { Child } from '../processes/child.ts';
import { ANSWER_TIMEOUT_MS, END_TIMEOUT_MS, promptTimeoutMs } from './server-side.ts';

const CLIENT_PROCESS = new URL('../../client/main.js', import.meta.url);

/** For a message of the warm-up, on a busy machine, or a large one. */
const WARMUP_MESSAGE_MS = 50;
/** The client ends a run by itself after at most three budgets. */
const BUDGETS_TIMEOUT = 4;

export class ClientSide {
  readonly process: Child<typeof clientCommands> = new Child("the client's process", CLIENT_PROCESS, clientCommands);

  /**
   * Connects, and makes the round trips that are not counted.
   *
   * @param cpus for its threads; undefined: any
   */
  async connect(setup: ClientSetup, cpus: string | undefined): Promise<void> {
    this.process.place(cpus);
    const timeoutMs = ANSWER_TIMEOUT_MS + setup.warmupMessages * WARMUP_MESSAGE_MS;
    await this.process.call('connect', setup, timeoutMs);
  }

  /** Makes some more, beside the CPU threads if there are any. */
  async settle(budgetNs: number): Promise<void> {
    await this.process.call('settle', { budgetNs }, this.#timeoutMs(0, budgetNs));
  }

  /** Makes those that are counted. */
  run(messages: number, budgetNs: number): Promise<RoundTrips> {
    const timeoutMs = this.#timeoutMs(messages, budgetNs);
    return this.process.call('run', { messages, budgetNs }, timeoutMs);
  }

  #timeoutMs(messages: number, budgetNs: number): number {
    return promptTimeoutMs(messages) + (BUDGETS_TIMEOUT * budgetNs) / 1e6;
  }

  /** Ends a run that is under way, which then returns what it has, and the process. */
  async stop(): Promise<void> {
    await this.process.call('stop', {}, END_TIMEOUT_MS);
  }
}
