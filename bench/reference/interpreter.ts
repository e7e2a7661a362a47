/**
 * The interpreters that are there: found by name, by path, or all of them, and asked who they are. What is missing, broken or too
 * old is no error here: it is a column of the result, which says so.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

/** Compiled, this module lies in dist/bench/reference; what is not TypeScript is where it was written. */
const HERE = existsSync(join(import.meta.dirname, 'echo_servers.py'))
  ? import.meta.dirname
  : resolve(import.meta.dirname, '../../../bench/reference');
/** The servers, in Python. */
export const ECHO_SERVERS = join(HERE, 'echo_servers.py');
/** Source of the counter of the interpreters' locks, in C. */
export const LOCK_COUNTER_SOURCE = join(HERE, 'lock_counter.c');

/** The servers there are in Python. The native one has no Python in it. */
export const REFERENCE_SERVERS: readonly string[] = ['zeromq', 'multiprocessing', 'blocking', 'nonblocking'];

/** The word for all interpreters there are. */
export const AUTO = 'auto';
/** Commands that may be in the path; pyenv's versions are looked through besides. */
const AUTO_COMMANDS = [
  'python2.7',
  'python3',
  ...Array.from({ length: 9 }, (_, n) => `python3.${n + 6}`),
  'pypy',
  'pypy3',
];
/** For an interpreter to say who it is, on a busy machine. */
const IDENTIFY_TIMEOUT_MS = 20_000;

const interpreterFromSchema = z.strictObject({
  kind: z.literal('interpreter'),
  path: z.string(),
  /** As it calls itself: `CPython`, `PyPy`. */
  implementation: z.string(),
  /** Of the implementation. */
  version: z.string(),
  /** Of the language, which is another for PyPy. */
  language: z.tuple([z.number(), z.number(), z.number()]),
  build: z.string(),
  /** Runs without its global lock. */
  freeThreaded: z.boolean(),
  /** `sys.getswitchinterval`; null where there is none. */
  switchIntervalNs: z.number().nullable(),
  /** Version of pyzmq; null if it cannot be imported. */
  pyzmq: z.string().nullable(),
});

/** A column of the result that is an interpreter, or was to be one. */
export const referenceSpecSchema = z.strictObject({
  /** How tables and files call it: `CPython 3.11.7`. */
  label: z.string(),
  from: z.discriminatedUnion('kind', [
    interpreterFromSchema,
    /** Asked for by this name, and not there, or no use. */
    z.strictObject({ kind: z.literal('absent'), name: z.string(), why: z.string() }),
  ]),
});
export type ReferenceSpec = z.infer<typeof referenceSpecSchema>;
/** One that can be run. */
export type Interpreter = ReferenceSpec & { readonly from: z.infer<typeof interpreterFromSchema> };

/** What `echo_servers.py identify` says. */
const identitySchema = interpreterFromSchema
  .omit({ kind: true, path: true })
  .extend({ executable: z.string(), prefix: z.string() });
type Identity = z.infer<typeof identitySchema>;

/** Either an interpreter, or why it is none. */
type Answer = { readonly identity: Identity } | { readonly why: string };

export function isInterpreter(spec: ReferenceSpec): spec is Interpreter {
  return spec.from.kind === 'interpreter';
}

/**
 * Finds interpreters.
 *
 * @param names commands, paths, or {@link AUTO}
 * @returns each interpreter once; those that are not there as `absent`
 */
export async function findReferences(names: readonly string[]): Promise<ReferenceSpec[]> {
  const found = new Map<string, Identity>();
  const absent: ReferenceSpec[] = [];
  for (const name of names) {
    const answers = name === AUTO ? await identifyAll() : [await identifyFirst(name)];
    for (const answer of answers) {
      if ('identity' in answer) found.set(identityKey(answer.identity), answer.identity);
      else absent.push({ label: name, from: { kind: 'absent', name, why: answer.why } });
    }
  }
  return [...labelled([...found.values()]), ...absent];
}

function identityKey({ implementation, version, prefix }: Identity): string {
  return `${implementation} ${version} ${prefix}`;
}

/** Two builds of the same version are told apart by where they are. */
function labelled(identities: readonly Identity[]): Interpreter[] {
  const short = ({ implementation, version, freeThreaded }: Identity) =>
    `${implementation} ${version}${freeThreaded ? ' free-threaded' : ''}`;
  return identities.map((identity) => {
    const same = identities.filter((other) => short(other) === short(identity)).length > 1;
    const { executable, prefix: _, ...rest } = identity;
    return {
      label: same ? `${short(identity)} (${executable})` : short(identity),
      from: { kind: 'interpreter', path: executable, ...rest },
    };
  });
}

/** Every interpreter there is; what does not answer is none. */
async function identifyAll(): Promise<Answer[]> {
  const candidates = [...AUTO_COMMANDS.flatMap(inPath), ...AUTO_COMMANDS.flatMap(inPyenv)];
  const answers: Answer[] = [];
  for (const path of new Set(candidates)) answers.push(await identify(path));
  const good = answers.filter((answer) => 'identity' in answer).sort((a, b) => byAge(a.identity, b.identity));
  return good.length > 0 ? good : [{ why: 'there is no Python in the path or among the versions of pyenv' }];
}

/** Implementations by name, each from its oldest version on. */
function byAge(a: Identity, b: Identity): number {
  const name = ({ implementation, version }: Identity) => `${implementation} ${version}`;
  return name(a).localeCompare(name(b), 'en', { numeric: true });
}

/** The first of that name that answers: a command of pyenv in the path answers only for the version that is chosen. */
async function identifyFirst(name: string): Promise<Answer> {
  const candidates = /[/\\]/.test(name) ? [resolve(name)] : [...inPath(name), ...inPyenv(name)];
  let first: Answer | undefined;
  for (const path of candidates) {
    const answer = await identify(path);
    if ('identity' in answer) return answer;
    first ??= answer;
  }
  return first ?? { why: `there is no «${name}» in the path or among the versions of pyenv` };
}

function inPath(command: string): string[] {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, command))
    .filter(existsSync);
}

function inPyenv(command: string): string[] {
  const versions = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
  try {
    return readdirSync(versions)
      .map((version) => join(versions, version, 'bin', command))
      .filter(existsSync);
  } catch {
    return [];
  }
}

async function identify(path: string): Promise<Answer> {
  let said: string;
  try {
    said = (await promisify(execFile)(path, [ECHO_SERVERS, 'identify'], { timeout: IDENTIFY_TIMEOUT_MS })).stdout;
  } catch (error) {
    const { stderr = '', message, killed } = error as { stderr?: string; message: string; killed?: boolean };
    if (killed === true) return { why: `${path} did not say who it is within ${IDENTIFY_TIMEOUT_MS / 1e3} s` };
    const reason = stderr.trim().split('\n').at(-1) ?? '';
    return { why: `${path} does not run: ${reason === '' ? message : reason}` };
  }
  const identity = identitySchema.safeParse(parseOr(said, null));
  if (!identity.success) return { why: `${path} is no Python that can say who it is` };
  const [major, minor] = identity.data.language;
  if (major < 2 || (major === 2 && minor < 7) || (major === 3 && minor < 6)) {
    return { why: `${path} is Python ${major}.${minor}: too old, 2.7 or 3.6 is needed` };
  }
  return { identity: identity.data };
}

function parseOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}
