/**
 * The journal of a run, beside its result: `talk.json.journal`. A round is on the disk before the next one starts, and whatever becomes
 * of the run, `--resume talk.json` goes on after the last of them.
 *
 * JSON lines. The first says which run it is; a run with other options, of another program or on another machine does not go on with
 * it. It is only ever appended to, so that a crash can cut off the last line and nothing else: what has no line end was never written.
 */
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { UsageError } from '../exit-codes.ts';
import {
  columnSchema,
  environmentSchema,
  type Round,
  roundSchema,
  scenarioSchema,
  workloadSchema,
} from '../result/result.ts';
import type { PlannedRound } from './plan.ts';

export const JOURNAL_VERSION = 1;

/** Everything that decides what is measured and in which order. */
const planSchema = z.strictObject({
  servers: z.array(z.string()),
  policies: z.array(columnSchema),
  scenarios: z.array(scenarioSchema),
  rounds: z.number().int(),
  seed: z.number().int(),
  workload: workloadSchema,
});

const machineSchema = environmentSchema.omit({ loadAfter: true, stolenShare: true });

const headerSchema = z.strictObject({
  format: z.literal('convoy-journal'),
  version: z.literal(JOURNAL_VERSION),
  /** The options as they were given, wherever they came from: `--resume` needs no others. */
  given: z.record(z.string(), z.union([z.string(), z.boolean(), z.array(z.string())])),
  plan: planSchema,
  /** SHA-256 of each policy file, by the label of its policy. */
  sources: z.record(z.string(), z.string()),
  environment: machineSchema,
  /** Only of two machines: the server's; `environment` is then the client's. */
  serverEnvironment: machineSchema.optional(),
  /** A resumed run works in the same ticks. */
  leafNs: z.number(),
});
export type JournalHeader = z.infer<typeof headerSchema>;

const entrySchema = z.strictObject({
  server: z.string(),
  policy: z.string(),
  scenario: scenarioSchema,
  round: roundSchema,
});
type Entry = z.infer<typeof entrySchema>;

/** A journal as it was found. */
export interface FoundJournal {
  /** The result file it stands beside, as it was asked for. */
  readonly resultPath: string;
  readonly header: JournalHeader;
  readonly entries: readonly Entry[];
  /** Length of its whole lines; what is behind them was cut off. */
  readonly wholeBytes: number;
}

/** What of a machine and a program must be the same. */
const SAME_MACHINE = ['convoy', 'revision', 'cpu', 'cpus', 'cpuCount', 'kernel', 'node', 'v8', 'libzmq'] as const;

export function journalPath(resultPath: string): string {
  return `${resultPath}.journal`;
}

/**
 * Reads the journal beside a result file.
 *
 * @throws UsageError if there is none, or it is none of Convoy's, or damaged elsewhere than at its end
 */
export async function readJournal(resultPath: string): Promise<FoundJournal> {
  const path = journalPath(resultPath);
  const refuse = (why: string) => new UsageError(`--resume ${resultPath}: ${why}`);
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw refuse(`there is no ${path}; a run that was measured to its end leaves none`);
    throw refuse(`${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  const wholeBytes = bytes.lastIndexOf('\n') + 1;
  const [first = '', ...rest] = bytes.subarray(0, wholeBytes).toString('utf8').split('\n').slice(0, -1);
  const mark = z.object({ format: z.literal('convoy-journal'), version: z.number() }).safeParse(parseOrNull(first));
  if (!mark.success) throw refuse(`${path} is no journal of convoy bench, or was cut off in its first line`);
  if (mark.data.version !== JOURNAL_VERSION)
    throw refuse(`${path} is of version ${mark.data.version}, and this Convoy reads version ${JOURNAL_VERSION}`);
  const readLine = <T>(schema: z.ZodType<T>, text: string, line: number): T => {
    const read = schema.safeParse(parseOrNull(text));
    if (read.success) return read.data;
    throw refuse(
      `line ${line} of ${path} is damaged:\n${z.prettifyError(read.error).split('\n').slice(0, 3).join('\n')}`,
    );
  };
  return {
    resultPath,
    header: readLine(headerSchema, first, 1),
    entries: rest.map((text, i) => readLine(entrySchema, text, i + 2)),
    wholeBytes,
  };
}

/**
 * @param begun what the journal's first line would be, were the run to begin now
 * @throws UsageError if it does not go on with the one the journal is of; it says in what they differ
 */
export function refuseOtherRun({ resultPath, header: there }: FoundJournal, begun: JournalHeader): void {
  // As if it had been written and read: without what is undefined.
  const here = headerSchema.parse(JSON.parse(JSON.stringify(begun)));
  const differences = [
    ...differencesOf(decisive(there), decisive(here)),
    ...differencesOf(there.plan.workload, here.plan.workload),
    ...differencesOf(there.sources, here.sources).map((difference) => `${difference} (SHA-256 of its file)`),
  ];
  if (differences.length === 0) return;
  throw new UsageError(
    `--resume ${resultPath}: that run was another one, in\n${differences.join('\n')}\nLeave the options out, which takes them from there, or measure anew with --json`,
  );
}

/** What must be the same for rounds to be comparable, but for the workload and the policies' own text. */
function decisive(header: JournalHeader): Record<string, unknown> {
  const { plan, environment, serverEnvironment } = header;
  const { workload: _, ...others } = plan;
  return {
    ...others,
    ...Object.fromEntries(SAME_MACHINE.map((name) => [name, environment[name]])),
    ...Object.fromEntries(SAME_MACHINE.map((name) => [`the server's ${name}`, serverEnvironment?.[name]])),
  };
}

function differencesOf(there: Readonly<Record<string, unknown>>, here: Readonly<Record<string, unknown>>): string[] {
  return [...new Set([...Object.keys(there), ...Object.keys(here)])].flatMap((name) => {
    if (isDeepStrictEqual(there[name], here[name])) return [];
    return [`  ${name}: ${short(there[name])} there, ${short(here[name])} here`];
  });
}

function short(value: unknown): string {
  const text = value === undefined ? 'none' : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A journal that is being written. */
export class Journal {
  readonly path: string;
  readonly #file: FileHandle;
  /** Of its whole lines. */
  #bytes: number;
  /** Lines the disk had no room for. */
  #unwritten = '';

  private constructor(path: string, file: FileHandle, bytes: number) {
    this.path = path;
    this.#file = file;
    this.#bytes = bytes;
  }

  /**
   * Begins one. That of an unfinished run is put aside, not lost.
   *
   * @param putAside is told where it is then
   */
  static async begin(resultPath: string, header: JournalHeader, putAside: (path: string) => void): Promise<Journal> {
    const path = journalPath(resultPath);
    const aside = `${path}.old`;
    try {
      await rename(path, aside);
      putAside(aside);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
    const journal = new Journal(path, await open(path, 'w'), 0);
    journal.#unwritten = `${JSON.stringify(header)}\n`;
    return journal;
  }

  /** Goes on with one. */
  static async resume({ resultPath, wholeBytes }: FoundJournal): Promise<Journal> {
    const path = journalPath(resultPath);
    const file = await open(path, 'r+');
    await file.truncate(wholeBytes);
    return new Journal(path, file, wholeBytes);
  }

  /**
   * Adds a round. It is on the disk when this returns.
   *
   * @throws Error if it is not; it is then written with the next one, and what is in the file is whole
   */
  async append({ cell, round: _ }: PlannedRound, round: Round): Promise<void> {
    const { server, policy, scenario } = cell;
    this.#unwritten += `${JSON.stringify({ server, policy: policy.label, scenario, round } satisfies Entry)}\n`;
    const lines = Buffer.from(this.#unwritten);
    try {
      await this.#write(lines);
      await this.#file.datasync();
    } catch (error) {
      // A full disk takes the beginning of a line. Nothing may ever be appended to that.
      await this.#file.truncate(this.#bytes).catch(() => {});
      throw error;
    }
    this.#bytes += lines.length;
    this.#unwritten = '';
  }

  async #write(lines: Buffer): Promise<void> {
    let written = 0;
    while (written < lines.length) {
      const { bytesWritten } = await this.#file.write(lines, written, lines.length - written, this.#bytes + written);
      written += bytesWritten;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Ends it for good: everything in it is in the result. */
  async remove(): Promise<void> {
    await this.close();
    await rm(this.path, { force: true });
  }
}
