/**
 * The mutants of a policy: its compiled text with one step changed. Every single step left out, its result replaced by 0 or 1, a number
 * it is given replaced by another, or swapped with the step after it.
 *
 * They are made line by line: tsc leaves each statement on lines of its own.
 */
import { readFileSync } from 'node:fs';

/** Compiled, whether this file is run from `dist/` or by vitest. */
const POLICIES_FOLDER = new URL('lock/policies/', compiled(new URL('../../../', import.meta.url)));

function compiled(root: URL): URL {
  return root.pathname.endsWith('/dist/') ? root : new URL('dist/', root);
}

/** A policy with one thing wrong. */
export interface Mutant {
  /** What is changed, without the number of the line: {@link Mutant.line}. */
  readonly change: string;
  readonly line: number;
  /** A whole module. */
  readonly text: string;
}

/** What a number that a step is given can be mistaken for. */
const MISTAKES: Readonly<Record<string, readonly string[]>> = {
  FREE: ['HELD'],
  HELD: ['FREE'],
  '0': ['1'],
  '1': ['0'],
  '-1': ['0'],
  interval: ['Infinity'],
};
/** The same of how many a notify wakes. */
const MISCOUNTS: typeof MISTAKES = { '1': ['0', 'Infinity'], Infinity: ['0', '1'] };

/** All mutants of a policy that comes with Convoy. */
export function mutantsOf(policy: string): Mutant[] {
  const text = textOf(policy);
  return [...stepMutants(text), ...swapMutants(text)];
}

/** The text of a policy, with the generators it shares with others in it: their steps are mutated too. */
function textOf(policy: string): string {
  const imports = new Map<string, Set<string>>();
  const taken = new Set<string>();
  const bodies: string[] = [];
  const take = (url: URL) => {
    if (taken.has(url.href)) return;
    taken.add(url.href);
    const body = readFileSync(url, 'utf8')
      .replace(/^\/\/# sourceMappingURL.*$/m, '')
      .replace(/^import \{ ([^}]*) \} from '(\.[^']*)';$/gm, (_, names: string, path: string) => {
        const from = new URL(path, url);
        if (/function\*|^\s*\*\w+\(/m.test(readFileSync(from, 'utf8'))) take(from);
        else imports.set(from.href, new Set([...(imports.get(from.href) ?? []), ...names.split(', ')]));
        return '';
      })
      .replace(/^import (\w+) from '(\.[^']*)';$/gm, (_, name: string, path: string) => {
        return `import ${name} from '${new URL(path, url).href}';`;
      });
    bodies.push(url === policyUrl ? body : body.replace(/^export /gm, ''));
  };
  const policyUrl = new URL(`${policy}.js`, POLICIES_FOLDER);
  take(policyUrl);
  const lines = Array.from(imports, ([from, names]) => `import { ${[...names].join(', ')} } from '${from}';`);
  return [...lines, ...bodies].join('\n');
}

function stepMutants(text: string): Mutant[] {
  const mutants: Mutant[] = [];
  for (const match of text.matchAll(/yield\*? (?:m\.)?\w+\(/g)) {
    const start = match.index;
    const open = start + match[0].length - 1;
    const end = closing(text, open) + 1;
    const step = text.slice(start, end);
    const line = text.slice(0, start).split('\n').length;
    const add = (change: string, by: string) =>
      mutants.push({ change, line, text: text.slice(0, start) + by + text.slice(end) });
    const isStatement = /^\s*$/.test(text.slice(text.lastIndexOf('\n', start) + 1, start)) && text[end] === ';';
    if (isStatement) add(`without ${step}`, '');
    else for (const value of ['0', '1']) add(`${value} for ${step}`, value);
    if (!match[0].includes(' m.')) continue;
    const operands = text.slice(open + 1, end - 1).split(', ');
    const mistakes = match[0].includes('notify') ? MISCOUNTS : MISTAKES;
    for (let i = 1; i < operands.length; i++) {
      for (const mistake of mistakes[operands[i] as string] ?? []) {
        const changed = `${match[0]}${operands.with(i, mistake).join(', ')})`;
        add(`${changed} for ${step}`, changed);
      }
    }
  }
  return mutants;
}

/** Each step with the step after it, or with the condition after it, if that begins with a step. */
function swapMutants(text: string): Mutant[] {
  const mutants: Mutant[] = [];
  const lines = text.split('\n');
  const isStep = (line: string) => /^\s*yield\*? .*;$/.test(line);
  const indent = (line: string) => line.length - line.trimStart().length;
  for (const [i, line] of lines.entries()) {
    let next = i + 1;
    while (lines[next]?.trim().startsWith('//')) next++;
    const other = lines[next];
    if (!isStep(line) || other === undefined || indent(line) !== indent(other)) continue;
    const add = (change: string, swapped: readonly string[]) =>
      mutants.push({ change, line: i + 1, text: swapped.join('\n') });
    if (isStep(other)) {
      add(`swapped ${line.trim()} ${other.trim()}`, lines.with(i, other).with(next, line));
    } else if (/^\s*if \(\(yield/.test(other)) {
      const found = /\(yield m\.\w+\(/.exec(other);
      if (found === null) continue;
      const step = other.slice(found.index, closing(other, found.index) + 1);
      const early = `${' '.repeat(indent(line))}const early = ${step.slice(1, -1)};`;
      const swapped = lines.with(next, other.replace(step, 'early')).with(i, `${early}\n${line}`);
      add(`swapped ${line.trim()} with the look ${step}`, swapped);
    }
  }
  return mutants;
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
