/**
 * The controller's side: the machine of the servers, reached through its agent. It answers what `bench` would find out, and starts
 * what `bench` would start, on its own machine.
 */
import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import { retimed } from '../../lock/timeline.ts';
import type { AnswerOf, RequestOf } from '../../net/commands.ts';
import { MessageStream } from '../../net/message-stream.ts';
import { UnavailableError, UsageError } from '../exit-codes.ts';
import { ANSWER_TIMEOUT_MS, type ServerSide, type startServerSide } from '../measure/server-side.ts';
import { Caller, ChildError } from '../processes/caller.ts';
import type { ReferenceSpec } from '../reference/interpreter.ts';
import type { Column, Environment, Workload } from '../result/result.ts';
import { type ClockReading, machineClockNs, mapClock, readClock } from './clock.ts';
import { introduce } from './handshake.ts';
import type { Place } from './place.ts';
import {
  agentMessageSchema,
  controlCommands,
  HEARTBEAT_MS,
  INTERPRETER_NAME,
  MAX_ANSWER_BYTES,
  MAX_STRANGE_BYTES,
  SILENCE_MS,
} from './protocol.ts';
import { digestOf } from './session.ts';

type Commands = typeof controlCommands;

/** For the connection to be made. */
const CONNECT_MS = 10_000;
/** For the agent to welcome us: it may have to end what an earlier controller left. */
const WELCOME_MS = 20_000;
/** What a command takes longer than the same on the agent's own machine, whose message about a time-out says more than ours. */
const ON_THE_WAY_MS = 5_000;
/** For interpreters to say who they are, or a busy machine to measure itself. */
const PATIENT_MS = 120_000;

/**
 * Finds the address of a name.
 *
 * @throws UnavailableError if it has none
 */
export async function addressOf(host: string): Promise<string> {
  try {
    return (await lookup(host, { family: 4 })).address;
  } catch (error) {
    throw new UnavailableError(`«${host}» has no IPv4 address: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * Connects to an agent.
 *
 * @throws UnavailableError if it cannot be reached, or refuses
 */
export async function connectToAgent({ host, port }: Place, token: string): Promise<RemoteMachine> {
  const name = `the agent at ${host} port ${port}`;
  const address = await addressOf(host);
  const stream = new MessageStream(await connected(name, address, port), MAX_STRANGE_BYTES);
  const slow = setTimeout(() => stream.fail(new Error(`no welcome within ${WELCOME_MS / 1e3} s`)), WELCOME_MS);
  try {
    await introduce(stream, token);
  } catch (error) {
    stream.fail(new Error('not welcome'));
    throw new UnavailableError(`${name}: ${error instanceof Error ? error.message : error}`);
  } finally {
    clearTimeout(slow);
  }
  return new RemoteMachine(name, address, stream);
}

function connected(name: string, host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const fail = (why: string) => {
      socket.destroy();
      reject(new UnavailableError(`${name} cannot be reached: ${why}; there: convoy serve --control`));
    };
    const slow = setTimeout(() => fail(`no answer within ${CONNECT_MS / 1e3} s`), CONNECT_MS);
    socket.once('error', (error) => {
      clearTimeout(slow);
      fail(error.message);
    });
    socket.once('connect', () => {
      clearTimeout(slow);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

export class RemoteMachine {
  /** Its address, where its servers are reached. */
  readonly address: string;
  readonly #stream: MessageStream;
  readonly #caller: Caller<Commands>;
  readonly #heart: NodeJS.Timeout;
  /** How processes ended, by their number. */
  readonly #lostSides = new Map<number, ChildError>();
  #nextSide = 0;
  #left = false;
  #lost: ChildError | undefined;
  #environment: Environment | undefined;

  /** @param stream on which both sides have proved themselves */
  constructor(name: string, address: string, stream: MessageStream) {
    this.address = address;
    this.#stream = stream;
    stream.maxBytes = MAX_ANSWER_BYTES;
    this.#caller = new Caller(name, controlCommands, (call) => stream.send(call));
    stream.onMessage((message) => this.#hear(message));
    this.#heart = setInterval(() => {
      void this.#call('ping', {}, SILENCE_MS).catch((error: unknown) =>
        stream.fail(error instanceof Error ? error : new Error(String(error))),
      );
    }, HEARTBEAT_MS);
    void stream.closed.then((why) => {
      clearInterval(this.#heart);
      const error = new ChildError(why.startsWith(name) ? why : `${name} is gone: ${why}`);
      if (!this.#left) this.#lost = error;
      this.#caller.lose(error);
    });
  }

  /** How the agent went, if it has, and not by {@link close}. */
  get lost(): ChildError | undefined {
    return this.#lost;
  }

  /** Says good-bye: all that it started is ended there. */
  close(): void {
    this.#left = true;
    clearInterval(this.#heart);
    this.#stream.close();
  }

  /**
   * Interpreters there, by the names of their commands.
   *
   * @throws UsageError for a path: what runs there is not for us to say
   */
  async findReferences(names: readonly string[]): Promise<ReferenceSpec[]> {
    const path = names.find((name) => !INTERPRETER_NAME.test(name));
    if (path !== undefined) {
      throw new UsageError(`--reference ${path}: with --connect by name only: python3, python2.7, pypy3, auto`);
    }
    return (await this.#call('references', { names: [...names] }, PATIENT_MS)).references;
  }

  /** Why the servers could not run there as asked, for the user. */
  async problems(workload: Workload, policies: readonly Column[]): Promise<string[]> {
    const files = [];
    for (const { label, from } of policies) {
      if (from.kind === 'file') files.push({ name: label, url: from.url, digest: await digestOf(from.url) });
    }
    return (await this.#call('check', { workload, files }, ANSWER_TIMEOUT_MS)).problems;
  }

  /** Length of a leaf of interpreter work there, now. */
  async measureLeafNs(): Promise<number> {
    return (await this.#call('leaf', {}, PATIENT_MS)).leafNs;
  }

  /** The machine; as it was last seen, if the agent is gone. */
  async environment(): Promise<Environment | undefined> {
    this.#environment = await this.#call('environment', {}, ANSWER_TIMEOUT_MS).catch(() => this.#environment);
    return this.#environment;
  }

  /** As that of `bench/measure/server-side.ts`; what cannot be started is said by its `start`. */
  readonly startServerSide: typeof startServerSide = ({ server, policy }, { workload, leafNs }, role): ServerSide => {
    const side = this.#nextSide++;
    const opened = this.#call(
      'open',
      { side, server, policy, workload, leafNs, ...role },
      ANSWER_TIMEOUT_MS + ON_THE_WAY_MS,
    );
    opened.catch(() => {});
    const lostOf = () => this.#lostSides.get(side) ?? this.lost;
    const call = async <Name extends 'start' | 'spin' | 'solo' | 'begin' | 'end' | 'stop'>(name: Name) => {
      await opened;
      const lost = lostOf();
      if (lost !== undefined) throw lost;
      return this.#call(name, { side } as RequestOf<Commands, Name>, ANSWER_TIMEOUT_MS + ON_THE_WAY_MS);
    };
    const keepsTimes = role.loggedCalls > 0;
    let before: ClockReading | undefined;
    return {
      process: {
        call: () => call('stop'),
        ended: (timeoutMs) => this.#ended(side, timeoutMs),
        kill: () => void this.#call('kill', { side }, ANSWER_TIMEOUT_MS).catch(() => {}),
        get lost() {
          return lostOf();
        },
      },
      start: () => call('start'),
      spin: () => call('spin'),
      solo: () => call('solo'),
      begin: async () => {
        if (keepsTimes) before = await this.#readClock();
        return call('begin');
      },
      end: async () => {
        const { calls: bytes, timeline, ...end } = await call('end');
        if (bytes === null || before === undefined) return { ...end, timeline: null, calls: null, clockErrorNs: null };
        // Copied: the bytes of a message lie anywhere, those of doubles at multiples of eight.
        const calls = new Float64Array(new Uint8Array(bytes).buffer);
        const { ours, errorNs } = mapClock(before, await this.#readClock());
        const ourTimeline = timeline === null ? null : retimed(timeline, (ns) => Math.round(ours(ns)));
        return { ...end, timeline: ourTimeline, calls: calls.map(ours), clockErrorNs: errorNs };
      },
      stop: () => call('stop'),
    };
  };

  async #ended(side: number, timeoutMs: number): Promise<boolean> {
    try {
      return (await this.#call('ended', { side, timeoutMs }, timeoutMs + ANSWER_TIMEOUT_MS)).byItself;
    } catch {
      // The agent is gone, and ends its processes itself.
      return false;
    } finally {
      this.#lostSides.delete(side);
    }
  }

  #readClock(): Promise<ClockReading> {
    return readClock(async () => (await this.#call('clock', {}, SILENCE_MS)).atNs, machineClockNs);
  }

  #call<Name extends keyof Commands & string>(
    name: Name,
    request: RequestOf<Commands, Name>,
    timeoutMs: number,
  ): Promise<AnswerOf<Commands, Name>> {
    return this.#caller.call(name, request, timeoutMs);
  }

  #hear(message: unknown): void {
    const heard = agentMessageSchema.parse(message);
    if (heard.kind === 'lost') this.#lostSides.set(heard.side, new ChildError(heard.message));
    else this.#caller.hear(heard);
  }
}
