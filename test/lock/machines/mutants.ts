/**
 * The mutation run: every single step of every policy left out, its result replaced by 0 or 1, or swapped with the next; and which of
 * these mutants `convoy check` does not catch. Run by `npm run mutants`; it takes minutes and is no part of `npm test`.
 *
 * Mutants are made of the compiled text of a policy, line by line: tsc leaves each statement on lines of its own.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Finding, Interleavings, modelsFor, parseModel } from '../../../lock/machines/interleavings.ts';
import type { Policy } from '../../../lock/policy.ts';

const POLICIES_FOLDER = new URL('../../../lock/policies/', import.meta.url);
const NAMES = ['py27', 'pypy16', 'py32', 'priority'];
const STATES = 1_000_000;
/** Beside the models of two threads: short lives in every order, longer ones with few pre-emptions. */
const THREE = [
  { model: 'io1@1+io1+io1', preemptions: 2 },
  { model: 'io0+io0+io0', preemptions: Infinity },
  { model: 'io0+io0+cpu1', preemptions: Infinity },
];

interface Mutant {
  readonly what: string;
  readonly text: string;
}

/** The text of a policy with what it imports from its own project in it, or by its whole address. */
function textOf(name: string): string {
  const url = new URL(`${name}.js`, POLICIES_FOLDER);
  const text = readFileSync(url, 'utf8').replace(/^\/\/# sourceMappingURL.*$/m, '');
  // What py27 and pypy16 share is theirs: its steps are mutated too.
  const inlined = text.replace(/^import \{[^}]*\} from '(\.\.\/semaphore\.js)';$/m, (_, path: string) =>
    readFileSync(new URL(path, url), 'utf8')
      .replace(/^export /gm, '')
      .replace(/^\/\/# sourceMappingURL.*$/m, ''),
  );
  return inlined.replace(/from '(\.[^']*)'/g, (_, path: string) => `from '${new URL(path, url).href}'`);
}

/** The end of the parenthesis that opens at `start`. */
function closing(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === '(') depth++;
    if (text[at] === ')' && --depth === 0) return at;
  }
  throw new Error('unbalanced');
}

function mutantsOf(text: string): Mutant[] {
  const mutants: Mutant[] = [];
  const lineAt = (index: number) => text.slice(0, index).split('\n').length;
  for (const match of text.matchAll(/yield\*? (?:m\.)?\w+\(/g)) {
    const start = match.index;
    const end = closing(text, start + match[0].length - 1) + 1;
    const step = text.slice(start, end);
    const replaced = (by: string) => text.slice(0, start) + by + text.slice(end);
    const isStatement = /^\s*$/.test(text.slice(text.lastIndexOf('\n', start) + 1, start)) && text[end] === ';';
    const where = `line ${lineAt(start)}: ${step}`;
    if (isStatement) mutants.push({ what: `without ${where}`, text: replaced('') });
    else for (const value of ['0', '1']) mutants.push({ what: `${value} for ${where}`, text: replaced(value) });
  }
  const lines = text.split('\n');
  const isStep = (line: string | undefined) => line !== undefined && /^\s*yield\*? .*;$/.test(line);
  const indent = (line: string) => line.length - line.trimStart().length;
  for (const [i, line] of lines.entries()) {
    let next = i + 1;
    while (lines[next]?.trim().startsWith('//')) next++;
    const other = lines[next];
    if (!isStep(line) || other === undefined) continue;
    // The step with the step after it; or with the condition after it, which begins with a step.
    if (isStep(other) && indent(line) === indent(other)) {
      const swapped = lines.with(i, other).with(next, line);
      mutants.push({
        what: `swapped line ${i + 1} and ${next + 1}: ${line.trim()} ${other.trim()}`,
        text: swapped.join('\n'),
      });
    } else if (/^\s*if \(\(yield/.test(other) && indent(line) === indent(other)) {
      const found = /\(yield m\.\w+\(/.exec(other);
      if (found === null) continue;
      const step = other.slice(found.index, closing(other, found.index) + 1);
      const early = `${' '.repeat(indent(line))}const early = ${step.slice(1, -1)};`;
      const swapped = lines.with(next, other.replace(step, 'early')).with(i, `${early}\n${line}`);
      mutants.push({
        what: `swapped line ${i + 1} and the look of ${next + 1}: ${line.trim()} ${step}`,
        text: swapped.join('\n'),
      });
    }
  }
  return mutants;
}

/** The first thing that is found broken; undefined if nothing is. */
function verdictOf(policy: Policy): Finding | undefined {
  const options = Object.fromEntries(Object.entries(policy.options).map(([name, option]) => [name, option.default]));
  const subject = { policy, options };
  const interleavings = new Interleavings(subject);
  let outgrown: Finding | undefined;
  const two = modelsFor(subject, 2).map((model) => ({ model, preemptions: Infinity }));
  const three = THREE.map(({ model, preemptions }) => ({ model: parseModel(model) ?? [], preemptions }));
  for (const { model, preemptions } of [...two, ...three]) {
    const finding = interleavings.explore(model, { states: STATES, preemptions });
    if (finding.kind === 'broken') return finding;
    if (finding.kind === 'outgrown') outgrown ??= finding;
  }
  return outgrown;
}

const folder = mkdtempSync(join(tmpdir(), 'convoy-mutants-'));
try {
  let made = 0;
  let caught = 0;
  for (const name of process.argv.length > 2 ? process.argv.slice(2) : NAMES) {
    const text = textOf(name);
    for (const [i, mutant] of mutantsOf(text).entries()) {
      const path = join(folder, `${name}-${i}.mjs`);
      writeFileSync(path, mutant.text);
      const { default: policy } = (await import(pathToFileURL(path).href)) as { default: Policy };
      const finding = verdictOf(policy);
      made++;
      if (finding?.kind === 'broken') caught++;
      const verdict =
        finding?.kind === 'broken'
          ? `caught: ${finding.property}`
          : `SURVIVES${finding === undefined ? '' : ': outgrown'}`;
      process.stdout.write(`${name} ${mutant.what}: ${verdict}\n`);
    }
  }
  process.stdout.write(`${caught} of ${made} mutants caught\n`);
} finally {
  rmSync(folder, { recursive: true });
}
