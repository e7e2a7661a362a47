/** Runs the compiled command, and finds what it leaves behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Also from `dist/`, where the scripts among the tests run. */
export const MAIN = resolve(
  import.meta.dirname,
  import.meta.url.endsWith('.ts') ? '../../dist' : '../..',
  'bench/main.js',
);
/** Every process a run starts inherits this variable: that is how they are found, whoever their parent is by then. */
const MARK = 'TEST_RUN_OF_CONVOY';

const IN_NAMESPACE = 'ip';

/** Put before the arguments of a run: it runs in that network namespace. `ip` becomes the command, so that their process is one. */
export const inNamespace = (name: string) => [IN_NAMESPACE, 'netns', 'exec', name] as const;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the command. */
export class Convoy {
  readonly process: ChildProcess;
  readonly #mark = randomUUID();
  readonly #finished: Promise<Finished>;
  /** Process ids of others: what a process inherits does not change, and to read it of all of them takes milliseconds. */
  readonly #others = new Set<number>();
  #stdout = '';
  #stderr = '';

  constructor(...args: string[]) {
    const [through, own] = args[0] === IN_NAMESPACE ? [args.slice(0, 4), args.slice(4)] : [[], args];
    const [command = '', ...rest] = [...through, process.execPath, MAIN, ...own];
    this.process = spawn(command, rest, {
      env: { ...process.env, NO_COLOR: '1', [MARK]: this.#mark },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#finished = new Promise((resolve) => {
      this.process.once('close', (code) => resolve({ code, stdout: this.#stdout, stderr: this.#stderr }));
    });
  }

  finished(): Promise<Finished> {
    return this.#finished;
  }

  /** What it has written on stdout so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** What it has written on stderr so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Processes of this run that live, as process ids. Without its own: `server` or `client` only those. */
  processes(kind?: 'server' | 'client'): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        if (this.#others.has(pid)) return false;
        try {
          const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
          if (!environment.includes(`${MARK}=${this.#mark}`)) {
            // A zombie, and a process about to become another program, has none.
            if (environment !== '') this.#others.add(pid);
            return false;
          }
          const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
          return kind === undefined || command.includes(`/${kind}/main.js`);
        } catch {
          // It ended meanwhile, or is a zombie: its environment is gone.
          return false;
        }
      });
  }

  /** Waits until the condition holds. Throws when the run has ended before, or after 60 s: others run beside it, each with processes of its own. */
  async until(condition: () => boolean): Promise<void> {
    const deadline = Date.now() + 60_000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`waited in vain; stderr: ${this.#stderr}`);
      if (this.process.exitCode !== null) throw new Error(`ended: ${this.#stdout} ${this.#stderr}`);
      await delay(5);
    }
  }

  /** Waits until no process of the run is left, at most so long. Returns those that are. */
  async leftovers(withinMs = 10_000): Promise<number[]> {
    const deadline = Date.now() + withinMs;
    while (this.processes().length > 0 && Date.now() < deadline) await delay(20);
    return this.processes();
  }
}

/** Runs the command to its end. */
export function convoy(...args: string[]): Promise<Finished> {
  return new Convoy(...args).finished();
}
