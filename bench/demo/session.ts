/**
 * What one page looks at: one event loop at a time, the keys it has not answered, and the switch from one setting to the next. A switch ends
 * the process and starts another, whatever is switched: that is the same few steps for every policy, starving or not, and
 * each setting begins alike.
 *
 * Keys outlive a switch: those without an answer are typed again for the next process, as a user would, but their lag is not counted.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { PolicySpec } from '../../lock/policy-spec.ts';
import { EditorProcess, type EditorSetup } from './editor-process.ts';
import { columnsOf } from './lock-columns.ts';
import { type DemoSetup, MAX_WAITING_KEYS, type ToPage } from './messages.ts';

/** Ten times a second: moves smoothly enough, and leaves the machine to the threads that are watched. */
const LOCK_EVERY_MS = 100;

/** What work under the lock takes. */
export interface EditorCosts extends Pick<EditorSetup, 'leafNs'> {
  /** Before each call, under policies that have no interpreter cost of their own. */
  readonly interpreterCostNs: number;
}

interface WaitingKey {
  readonly id: number;
  readonly text: string;
  /** False of one that has waited for a process to start. */
  counted: boolean;
}

interface Era {
  readonly setup: DemoSetup;
  readonly process: EditorProcess;
  state: 'starting' | 'running' | 'over';
}

export class Session {
  readonly #policies: ReadonlyMap<string, PolicySpec>;
  readonly #costs: EditorCosts;
  readonly #say: (message: ToPage) => void;
  /** Keys without an answer, oldest first. */
  readonly #waiting: WaitingKey[] = [];
  #wanted: DemoSetup | null = null;
  #era: Era | undefined;
  #switched: Promise<unknown>;

  /**
   * @param policies those that can be chosen, by label
   * @param costs the same for all settings
   * @param say is given everything the page must know
   * @param after the first event loop starts then
   */
  constructor(
    policies: ReadonlyMap<string, PolicySpec>,
    costs: EditorCosts,
    say: (message: ToPage) => void,
    after: Promise<unknown>,
  ) {
    this.#policies = policies;
    this.#costs = costs;
    this.#say = say;
    this.#switched = after;
  }

  /**
   * Takes a key for the event loop.
   *
   * @returns false if too many wait already: it is not taken
   */
  type(id: number, text: string): boolean {
    if (this.#waiting.length >= MAX_WAITING_KEYS) return false;
    const runs = this.#era?.state === 'running';
    this.#waiting.push({ id, text, counted: runs });
    if (runs) this.#era?.process.type(text);
    return true;
  }

  /**
   * Switches to a setting, however far the switch before has come.
   *
   * @returns false if there is no such policy
   */
  switchTo(setup: DemoSetup): boolean {
    const policy = this.#policies.get(setup.policy);
    if (policy === undefined) return false;
    this.#want(setup, (wanted) => this.#start(wanted, { ...policy, spinnerPriority: setup.priority }));
    return true;
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.#waiting.length = 0;
    this.#want(null, () => Promise.resolve());
    await this.#switched;
  }

  /** One switch after the other; one that was overtaken before its turn is left out. */
  #want<Wanted extends DemoSetup | null>(wanted: Wanted, start: (wanted: Wanted) => Promise<void>): void {
    this.#wanted = wanted;
    // Told now, not when its turn comes: a start that hangs must not hold up the switch.
    if (this.#era !== undefined) this.#tellToEnd(this.#era);
    this.#switched = this.#switched.then(async () => {
      await this.#end();
      if (this.#wanted === wanted) await start(wanted);
    });
  }

  #tellToEnd(era: Era): void {
    if (era.state === 'over') return;
    era.state = 'over';
    this.#say({ type: 'state', state: { kind: 'ending', setup: era.setup } });
    void era.process.end();
  }

  async #end(): Promise<void> {
    const era = this.#era;
    if (era === undefined) return;
    const byItself = await era.process.end();
    this.#era = undefined;
    if (byItself) return;
    const text = `${era.setup.policy} did not end when it was told to: its process was killed.`;
    this.#say({ type: 'notice', text });
  }

  async #start(setup: DemoSetup, policy: PolicySpec): Promise<void> {
    this.#say({ type: 'state', state: { kind: 'starting', setup } });
    const { leafNs, interpreterCostNs } = this.#costs;
    const workPerCallNs = policy.interpreterCostNs ?? interpreterCostNs;
    const process = new EditorProcess(
      { policy, spinners: setup.spinners, leafNs, workPerCallNs },
      { answered: (key) => this.#answered(era, key), lost: (why) => this.#fail(era, why) },
    );
    const era: Era = { setup, process, state: 'starting' };
    this.#era = era;
    try {
      await process.start();
    } catch (error) {
      this.#fail(era, error instanceof Error ? error.message : String(error));
      return;
    }
    // Told to end in the last moment of the start.
    if (era.state !== 'starting') return;
    era.state = 'running';
    this.#say({ type: 'state', state: { kind: 'running', setup } });
    for (const key of this.#waiting) {
      key.counted = false;
      process.type(key.text);
    }
    void this.#readLock(era);
  }

  #fail(era: Era, message: string): void {
    // A process that was told to end fails in its own way.
    if (era.state === 'over') return;
    era.state = 'over';
    this.#say({ type: 'state', state: { kind: 'failed', setup: era.setup, message } });
    void era.process.end();
  }

  #answered({ state }: Era, { text, loopMs }: { readonly text: string; readonly loopMs: number }): void {
    const key = this.#waiting.shift();
    // Closed meanwhile.
    if (key === undefined) return;
    // Told to end, it ends its CPU threads first, and what it still answers has no rival.
    this.#say({ type: 'painted', id: key.id, text, loopMs, counted: key.counted && state === 'running' });
  }

  async #readLock(era: Era): Promise<void> {
    let sinceNs = Number(process.hrtime.bigint());
    while (era.state === 'running') {
      await delay(LOCK_EVERY_MS);
      // A process that does not answer has broken its connection too, and that is heard of.
      const timeline = await era.process.timeline(sinceNs).catch(() => null);
      if (timeline === null) return;
      const lock = columnsOf(timeline);
      if (lock === null) continue;
      sinceNs = lock.endNs;
      this.#say({ type: 'lock', lock });
    }
  }
}
