/**
 * The process of the event loop: the `editor` server of the gui scenario under one policy, CPU threads beside it, and one connection, on
 * which keys go to it and their answers come back in the same order.
 *
 * The connection is an ordinary one of this process's own event loop, which has no global lock: a policy that starves keeps this side
 * waiting for an answer and for nothing else.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Timeline } from '../../lock/timeline.ts';
import { encodeFrame, HEADER_BYTES, payloadLength } from '../../net/frame.ts';
import { type ServerSetup, serverCommands } from '../../server/protocol.ts';
import { Child } from '../processes/child.ts';

const SERVER_PROCESS = new URL('../../server/main.js', import.meta.url);
const HOST = '127.0.0.1';
const MAX_KEY_BYTES = 1_024;

/** For each step of the start, on a busy machine. */
const START_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 5_000;
/** For a step under way to finish, and for an end that was asked for. Then the process is killed. */
const END_TIMEOUT_MS = 1_000;
/** For the news of a process's death to arrive: its connection breaks first. */
const DEATH_NEWS_MS = 200;
/** Keys before the CPU threads start, for the engine to compile the loop; each takes a millisecond. */
const WARMUP_KEYS = 60;

export interface EditorSetup extends Pick<ServerSetup, 'policy' | 'leafNs' | 'workPerCallNs'> {
  readonly spinners: number;
}

export interface EditorEvents {
  /** The event loop has answered the oldest key. */
  answered(key: { readonly text: string; readonly loopMs: number }): void;
  /** It will answer no more, and nobody had asked it to end. */
  lost(why: string): void;
}

export class EditorProcess {
  readonly #setup: EditorSetup;
  readonly #events: EditorEvents;
  readonly #child = new Child("the event loop's process", SERVER_PROCESS, serverCommands);
  #socket: Socket | undefined;
  /** The unfinished rest of what has come. */
  #received: Buffer = Buffer.alloc(0);
  /** When each key that has no answer yet was sent. */
  readonly #sentMs: number[] = [];
  #onWarm = () => {};
  #warmupLeft = WARMUP_KEYS;
  #started: Promise<void> | undefined;
  #ended: Promise<boolean> | undefined;

  /** Starts the process; {@link start} makes an event loop of it. */
  constructor(setup: EditorSetup, events: EditorEvents) {
    this.#setup = setup;
    this.#events = events;
  }

  /**
   * Has the event loop and its CPU threads running.
   *
   * @throws Error if they do not, or if {@link end} was called meanwhile
   */
  start(): Promise<void> {
    this.#started = this.#start();
    return this.#started;
  }

  /** Sends a key. Answers come in the order of the keys. */
  type(text: string): void {
    this.#sentMs.push(performance.now());
    this.#socket?.write(encodeFrame(Buffer.from(text)));
  }

  /**
   * What the threads did of late.
   *
   * @param sinceNs on the machine's clock, as all times in the answer
   */
  timeline(sinceNs: number): Promise<Timeline> {
    return this.#child.call('timeline', { sinceNs }, ANSWER_TIMEOUT_MS);
  }

  /**
   * Tells the process to end, and kills it when it does not.
   *
   * @returns whether it ended by itself
   */
  end(): Promise<boolean> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #start(): Promise<void> {
    const { spinners, ...setup } = this.#setup;
    const port = await this.#step(this.#listen(setup));
    await this.#step(this.#connect(port));
    await this.#step(this.#warmUp());
    if (spinners > 0) await this.#step(this.#spin(spinners));
  }

  /** An end that was asked for is heard between two steps: the process is in no state to end in the middle of one. */
  async #step<Result>(step: Promise<Result>): Promise<Result> {
    const result = await step;
    if (this.#ended !== undefined) throw new Error('ended before it was started');
    return result;
  }

  async #listen(setup: Omit<EditorSetup, 'spinners'>): Promise<number> {
    const bounds = { maxMessageBytes: MAX_KEY_BYTES, peerTimeoutNs: null, loggedCalls: 0, records: true };
    const at = { host: HOST, port: 0 };
    const started = await this.#child.call('start', { server: 'editor', ...setup, ...bounds, ...at }, START_TIMEOUT_MS);
    return started.port;
  }

  async #connect(port: number): Promise<void> {
    const socket = connect({ host: HOST, port, noDelay: true });
    await once(socket, 'connect');
    this.#socket = socket;
    socket.on('data', (bytes) => {
      try {
        this.#hear(bytes);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.on('error', () => {
      // Closes, which is heard of.
    });
    socket.once('close', () => void this.#disconnected());
  }

  async #warmUp(): Promise<void> {
    const warm = new Promise<void>((resolve) => {
      this.#onWarm = resolve;
    });
    for (let key = 0; key < WARMUP_KEYS; key++) this.type(' ');
    const timeout = new AbortController();
    const late = delay(START_TIMEOUT_MS, undefined, { signal: timeout.signal }).then(() => {
      throw new Error(`the event loop did not answer within ${START_TIMEOUT_MS / 1e3} s, with the lock to itself`);
    });
    try {
      await Promise.race([warm, late]);
    } finally {
      late.catch(() => {});
      timeout.abort();
    }
  }

  async #spin(spinners: number): Promise<void> {
    const { spinnerPriority } = this.#setup.policy;
    await this.#child.call('spin', { spinners, kind: 'fib', priority: spinnerPriority }, START_TIMEOUT_MS);
  }

  /** @throws ProtocolError if that is no answer of an event loop */
  #hear(bytes: Buffer): void {
    const nowMs = performance.now();
    this.#received = Buffer.concat([this.#received, bytes]);
    while (this.#received.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + payloadLength(this.#received, MAX_KEY_BYTES);
      if (this.#received.length < end) return;
      const text = this.#received.toString('utf8', HEADER_BYTES, end);
      this.#received = this.#received.subarray(end);
      const loopMs = nowMs - (this.#sentMs.shift() ?? nowMs);
      if (this.#warmupLeft === 0) this.#events.answered({ text, loopMs });
      else if (--this.#warmupLeft === 0) this.#onWarm();
    }
  }

  async #disconnected(): Promise<void> {
    if (this.#ended !== undefined) return;
    await delay(DEATH_NEWS_MS);
    if (this.#ended !== undefined) return;
    this.#events.lost(this.#child.lost?.message ?? 'the event loop closed its connection');
  }

  async #end(): Promise<boolean> {
    await Promise.race([this.#started?.catch(() => {}), delay(END_TIMEOUT_MS)]);
    const told = await this.#child.call('stop', {}, END_TIMEOUT_MS).then(
      () => true,
      () => false,
    );
    const byItself = await this.#child.ended(told ? END_TIMEOUT_MS : 0);
    this.#socket?.destroy();
    return byItself;
  }
}
