/**
 * What an agent does for one controller: the processes it has started for it, and the commands to them. Each is started and spoken to
 * by what `bench` itself uses for a server on its own machine.
 *
 * A controller chooses among what is there: our servers and policies, interpreters that the agent found by their names, and policy
 * files that the agent was given. No path and no code comes over the connection.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Handlers, RequestOf } from '../../net/commands.ts';
import { problemsHere } from '../measure/problems.ts';
import { endProcess, type ServerSide, startServerSide } from '../measure/server-side.ts';
import { findReferences, type ReferenceSpec } from '../reference/interpreter.ts';
import { withLockCounter } from '../reference/lock-counter.ts';
import { type Column, isReference } from '../result/result.ts';
import { type EnvironmentBefore, finishEnvironment, probeEnvironment } from '../run/environment.ts';
import { measureLeafAloneNs } from '../run/run.ts';
import { machineClockNs } from './clock.ts';
import { type controlCommands, INTERPRETER_NAME } from './protocol.ts';

/** Processes at a time; a cell has two. */
const MAX_SIDES = 8;

/** What the agent was started with. */
export interface SessionSetup {
  /** IPv4 address the servers bind to. */
  readonly bindHost: string;
  /** Policy files a controller may use: {@link digestOf} their text → where they are here. */
  readonly policyFiles: ReadonlyMap<string, string>;
  /** Told when a process has ended, whoever ended it. */
  onLost(side: number, message: string): void;
}

/** By which a policy file here and one there are known to be the same. */
export async function digestOf(url: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(new URL(url)))
    .digest('hex');
}

export class Session {
  readonly #setup: SessionSetup;
  readonly #sides = new Map<number, ServerSide>();
  readonly #references = new Map<string, ReferenceSpec>();
  /** The controller's policy files → the same here. */
  readonly #policyFiles = new Map<string, string>();
  readonly #before: Promise<EnvironmentBefore> = probeEnvironment();
  readonly #over: Promise<void>;
  #markOver = () => {};
  #lockCounter: Promise<string | null> | undefined;
  #lockCounterGone: Promise<unknown> = Promise.resolve();
  #ended = false;

  constructor(setup: SessionSetup) {
    this.#setup = setup;
    this.#over = new Promise((resolve) => {
      this.#markOver = resolve;
    });
  }

  /** For each command of the controller, what is done. */
  readonly handlers: Handlers<typeof controlCommands> = {
    ping: () => ({}),
    clock: () => ({ atNs: machineClockNs() }),
    environment: async () => finishEnvironment(await this.#before),
    leaf: () => ({ leafNs: measureLeafAloneNs() }),
    references: async ({ names }) => ({ references: await this.#findReferences(names) }),
    check: async (request) => ({ problems: await this.#check(request) }),
    open: (request) => this.#open(request),
    start: ({ side }) => this.#side(side).start(),
    spin: ({ side }) => this.#side(side).spin(),
    solo: ({ side }) => this.#side(side).solo(),
    begin: async ({ side }) => {
      await this.#side(side).begin();
      return {};
    },
    end: async ({ side }) => {
      const { calls, clockErrorNs: _, ...end } = await this.#side(side).end();
      return {
        ...end,
        calls: calls === null ? null : new Uint8Array(calls.buffer, calls.byteOffset, calls.byteLength),
      };
    },
    stop: ({ side }) => this.#side(side).stop(),
    ended: async ({ side, timeoutMs }) => {
      const byItself = (await this.#sides.get(side)?.process.ended(timeoutMs)) ?? true;
      this.#sides.delete(side);
      return { byItself };
    },
    kill: ({ side }) => {
      this.#sides.get(side)?.process.kill();
      return {};
    },
  };

  /** Ends every process, as the controller would have. */
  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all([...this.#sides.values()].map(({ process }) => endProcess(process)));
    this.#markOver();
    await this.#lockCounterGone;
  }

  #side(side: number): ServerSide {
    const found = this.#sides.get(side);
    if (found === undefined) throw new Error(`there is no process ${side}`);
    return found;
  }

  async #open(request: RequestOf<typeof controlCommands, 'open'>): Promise<Record<string, never>> {
    const { side, server, workload, leafNs, what, port, loggedCalls, records } = request;
    if (this.#sides.has(side) || this.#sides.size >= MAX_SIDES) throw new Error(`no room for a process ${side}`);
    const policy = this.#columnHere(request.policy);
    const lockCounter = isReference(policy) ? await this.#compiledLockCounter() : null;
    // The controller may have gone meanwhile: nobody would end what was started now.
    if (this.#ended) throw new Error('the session is over');
    const setup = { workload: { ...workload, host: this.#setup.bindHost }, leafNs, lockCounter };
    const started = startServerSide({ server, policy }, setup, { what, port, loggedCalls, records });
    this.#sides.set(side, started);
    void started.process.ended(Infinity).then(() => {
      this.#setup.onLost(side, started.process.lost?.message ?? `${what} ended`);
    });
    return {};
  }

  async #findReferences(names: readonly string[]): Promise<ReferenceSpec[]> {
    if (!names.every((name) => INTERPRETER_NAME.test(name))) throw new Error('an agent runs interpreters by name only');
    const found = await findReferences(names);
    for (const spec of found) this.#references.set(spec.label, spec);
    return found;
  }

  async #check({ workload, files }: RequestOf<typeof controlCommands, 'check'>): Promise<string[]> {
    const { bindHost, policyFiles } = this.#setup;
    const problems = await problemsHere({ ...workload, host: bindHost });
    for (const { name, url, digest } of files) {
      const here = policyFiles.get(digest);
      if (here !== undefined) this.#policyFiles.set(url, here);
      else
        problems.push(
          `policy «${name}»: its file must be there too: convoy serve --control … --policy FILE, the same text`,
        );
    }
    return problems;
  }

  /** What a controller asked for, as it is here. */
  #columnHere(column: Column): Column {
    if (isReference(column)) {
      const found = this.#references.get(column.label);
      if (found === undefined) throw new Error(`${column.label} was not looked for`);
      return found;
    }
    if (column.from.kind !== 'file') return column;
    const url = this.#policyFiles.get(column.from.url);
    if (url === undefined) throw new Error(`policy «${column.label}» was not given to the agent`);
    return { ...column, from: { kind: 'file', url } };
  }

  /** Compiled when it is first needed, and there until the session is over. */
  #compiledLockCounter(): Promise<string | null> {
    this.#lockCounter ??= new Promise((resolve, reject) => {
      this.#lockCounterGone = withLockCounter((library) => {
        resolve(library);
        return this.#over;
      }).catch(reject);
    });
    return this.#lockCounter;
  }
}
