/** `npm run kills -- --runs 500`: so many runs, in each of which a random process is killed at a random moment. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Killer, type Outcome } from './command/kill-runs.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '500' }, seed: { type: 'string' } } });
const runs = Number(values.runs);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
/** One run in so many is resumed afterwards. */
const RESUME_EVERY = 5;

const folder = mkdtempSync(join(tmpdir(), 'convoy-kills-'));
const killer = new Killer(folder, seed);
process.stdout.write(`seed ${seed}; a run takes ${(await killer.measure()).toFixed(0)} ms\n`);

const outcomes: Outcome[] = [];
let tooLate = 0;
while (outcomes.length < runs) {
  const outcome = await killer.kill(outcomes.length % RESUME_EVERY === 0);
  for (const fault of outcome.faults) process.stdout.write(`${fault}\n`);
  // The run had ended already: drawn again, unless something is wrong with it.
  if (outcome.victim === null && outcome.faults.length === 0 && tooLate++ < runs) continue;
  outcomes.push(outcome);
  if (outcomes.length % 25 === 0)
    process.stdout.write(
      `${outcomes.length} of ${runs}, faults: ${outcomes.flatMap((outcome) => outcome.faults).length}\n`,
    );
}
rmSync(folder, { recursive: true });

const of = (victim: Outcome['victim']) => outcomes.filter((outcome) => outcome.victim === victim);
const exits = new Map<string, number>();
for (const { victim, exitCode } of outcomes) {
  const exit = `${victim} → ${exitCode ?? 'SIGKILL'}`;
  exits.set(exit, (exits.get(exit) ?? 0) + 1);
}
const faults = outcomes.flatMap((outcome) => outcome.faults);
process.stdout.write(
  [
    `${runs} kills: bench ${of('bench').length}, server or CPU process ${of('server').length}, client ${of('client').length}`,
    `rounds finished before: ${outcomes.reduce((sum, { finished }) => sum + finished, 0)}`,
    `exit codes: ${[...exits].map(([exit, count]) => `${exit}: ${count}`).join(', ')}`,
    `faults: ${faults.length}`,
    '',
  ].join('\n'),
);
process.exitCode = faults.length === 0 ? 0 : 1;
