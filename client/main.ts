/** The process of one client: its thread blocks in system calls, and this one can still be told to end it. */
import { Worker } from 'node:worker_threads';
import { answerParent, leaveParent } from '../net/commands.ts';
import { CLIENTS } from './clients.ts';
import type { EchoClient } from './echo-client.ts';
import { type ClientSetup, clientCommands, type RoundTrips } from './protocol.ts';
import {
  type ClientThreadData,
  type ClientThreadMessage,
  type ClientThreadTask,
  ECHOES,
  END,
  END_WORD,
} from './thread-messages.ts';

const CLIENT_THREAD = new URL('./client-thread.js', import.meta.url);
/** How many budgets a run may take when one message outlasts the first. */
const MAX_BUDGETS = 3;
/**
 * Enough for what is met in every message to be compiled, and, at the run's pace, for the kernel to forget the warm-up; not so long that a
 * policy which starves the server doubles the run.
 */
const SETTLING_MS = 250;
/** How often it is looked whether an echo of the warm-up has come; how much longer a large one may take. */
const ECHO_PATIENCE_MS = 5_000;
const SLOWEST_BYTES_PER_MS = 10_000;

class ClientProcess {
  readonly #client: EchoClient;
  readonly #worker: Worker;
  readonly #words = new Int32Array(new SharedArrayBuffer(8));
  readonly #patienceMs: number;
  readonly #warmupMessages: number;
  #handle: number | undefined;
  /** Rejects when the thread is gone, by its error if it had one. */
  readonly #gone: Promise<never>;

  constructor(client: EchoClient, setup: ClientSetup) {
    this.#client = client;
    const data: ClientThreadData = { setup, words: this.#words.buffer };
    this.#patienceMs = ECHO_PATIENCE_MS + setup.payloadBytes / SLOWEST_BYTES_PER_MS;
    this.#warmupMessages = setup.warmupMessages;
    this.#worker = new Worker(CLIENT_THREAD, { workerData: data });
    this.#gone = new Promise((_, reject) => {
      this.#worker.once('error', reject);
      this.#worker.once('exit', () => reject(new Error('the client was stopped')));
    });
    // Whoever waits for the thread sees it; when nobody waits it is the orderly end.
    this.#gone.catch(() => {});
    this.#worker.on('message', (message: ClientThreadMessage) => {
      if (message.kind !== 'connected') return;
      this.#handle = message.handle;
      // Told to stop before there was anything to interrupt.
      if (this.#words[END_WORD] !== END.no) client.interrupt(message.handle);
    });
  }

  /**
   * Resolves when the connection is made and warm.
   *
   * @throws Error if an echo does not come: there are no CPU threads yet that could keep the server from it, so that it is stuck, or gone
   * without a word
   */
  async warm(): Promise<void> {
    let look: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      let before = -1;
      look = setInterval(() => {
        const echoes = Atomics.load(this.#words, ECHOES);
        if (echoes === before)
          reject(new Error(`the server is silent: ${echoes} echoes came, and then none for seconds`));
        before = echoes;
      }, this.#patienceMs);
    });
    try {
      await Promise.race([this.#hear('warm'), silence]);
    } finally {
      clearInterval(look);
    }
  }

  /**
   * Makes round trips that are not counted, beside the CPU threads if there are any: the ways through the server and its lock that nothing
   * goes while it is alone are compiled by them, too. The last are made at the run's pace. In the warm-up client and server were both
   * busy, on two CPUs, and woke the engine's helper threads; for a tenth of a second of what follows Linux still puts them apart by that
   * (load averages of 32 ms; `wake_wide`, which forgets once a second), and each waits for a CPU to wake, where later both share one.
   */
  async settle(budgetNs: number): Promise<void> {
    // A message that outlasts all patience would not be counted in the run either: it then ends with what it has, which is nothing.
    const hard = setTimeout(
      () => {
        this.#endRun(END.budget);
        this.#interrupt();
      },
      2 * SETTLING_MS + (MAX_BUDGETS * budgetNs) / 1e6,
    );
    this.#say({ kind: 'settle', messages: this.#warmupMessages, forMs: SETTLING_MS });
    try {
      await this.#hear('settled');
    } finally {
      clearTimeout(hard);
    }
  }

  /** Makes the round trips that are counted. */
  async run(messages: number, budgetNs: number): Promise<RoundTrips> {
    const budgetMs = budgetNs / 1e6;
    // The message under way may finish: to cut it off would leave out the longest, and make a starving policy look better.
    const soft = setTimeout(() => this.#endRun(END.budget), budgetMs);
    const hard = setTimeout(() => this.#interrupt(), MAX_BUDGETS * budgetMs);
    this.#say({ kind: 'run', messages });
    try {
      return (await this.#hear('ran')).trips;
    } finally {
      clearTimeout(soft);
      clearTimeout(hard);
    }
  }

  /** Ends what the thread is doing, then the thread. */
  async stop(): Promise<void> {
    this.#endRun(END.stopped);
    this.#interrupt();
    // From here on the thread closes the connection: nothing may be left to interrupt.
    this.#handle = undefined;
    this.#say({ kind: 'close' });
    await this.#gone.catch(() => {});
  }

  #endRun(why: number): void {
    if (Atomics.compareExchange(this.#words, END_WORD, END.no, why) === END.no) Atomics.notify(this.#words, END_WORD);
  }

  #interrupt(): void {
    if (this.#handle !== undefined) this.#client.interrupt(this.#handle);
  }

  #say(task: ClientThreadTask): void {
    this.#worker.postMessage(task);
  }

  #hear<Kind extends ClientThreadMessage['kind']>(kind: Kind): Promise<Extract<ClientThreadMessage, { kind: Kind }>> {
    const heard = new Promise<Extract<ClientThreadMessage, { kind: Kind }>>((resolve) => {
      const listener = (message: ClientThreadMessage) => {
        if (message.kind !== kind) return;
        this.#worker.off('message', listener);
        resolve(message as Extract<ClientThreadMessage, { kind: Kind }>);
      };
      this.#worker.on('message', listener);
    });
    return Promise.race([heard, this.#gone]);
  }
}

let client: ClientProcess | undefined;

function connected(): ClientProcess {
  if (client === undefined) throw new Error('the client is not connected');
  return client;
}

answerParent(clientCommands, {
  connect: async (setup) => {
    const load = CLIENTS[setup.transport];
    if (load === undefined) throw new Error(`there is no client for «${setup.transport}»`);
    client = new ClientProcess((await load()).default, setup);
    await client.warm();
    return {};
  },
  settle: async ({ budgetNs }) => {
    await connected().settle(budgetNs);
    return {};
  },
  run: ({ messages, budgetNs }) => connected().run(messages, budgetNs),
  stop: async () => {
    await client?.stop();
    leaveParent();
    return {};
  },
});
