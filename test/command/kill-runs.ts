/**
 * Runs of which one process is killed at a random moment, whichever it is: the command's own, the server's, the client's, that of the
 * CPU work. Then nothing may hang, no process may be left, and whatever the run has said to be finished must be on the disk.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { EXIT } from '../../bench/exit-codes.ts';
import { readResult } from '../../bench/result/result-file.ts';
import { journalPath, readJournal } from '../../bench/run/journal.ts';
import { TALK_SERVERS } from '../../server/servers.ts';
import { Convoy } from './convoy.ts';

/** Offloaded, so that there are three processes beside the command's. */
const RUN = [
  ...['--scenario', 'offloaded', '--rounds', '1', '--policy', 'py32', '--messages', '20'],
  ...['--delay', '0', '--warmup', '5', '--budget', '1s'],
];
/** Unloaded and offloaded, once each. */
const CELLS = 2;
/** A run that is not through by then hangs: every time-out of the program is shorter. */
const HANG_MS = 120_000;

/** Which process was killed. A server's process and that of the CPU work run the same program. */
export type Victim = 'bench' | 'server' | 'client';
const VICTIMS: readonly Victim[] = ['bench', 'server', 'client'];

/** What came of one run. */
export interface Outcome {
  /** null: the run had ended before the moment came. */
  readonly victim: Victim | null;
  readonly exitCode: number | null;
  /** How many rounds it had said to be finished. */
  readonly finished: number;
  /** What should not have happened, in words; none if all is well. */
  readonly faults: readonly string[];
}

/** Makes runs and kills in them. */
export class Killer {
  readonly #folder: string;
  readonly #random: ReturnType<typeof xoroshiro128plus>;
  #runMs = 0;
  #runs = 0;

  /**
   * @param folder for the result files
   * @param seed which victims and which moments; the machine's timing is its own
   */
  constructor(folder: string, seed: number) {
    this.#folder = folder;
    this.#random = xoroshiro128plus(seed);
  }

  /** One run in which nothing is killed, to know how long it takes. */
  async measure(): Promise<number> {
    const startMs = performance.now();
    const { code, stderr } = await new Convoy(...RUN, '--server', 'blocking').finished();
    if (code !== 0) throw new Error(`the run that nothing happens to ended with ${code}: ${stderr}`);
    this.#runMs = performance.now() - startMs;
    return this.#runMs;
  }

  /** From 0 to below 1. */
  #draw(): number {
    return uniformInt(this.#random, 0, 2 ** 31 - 1) / 2 ** 31;
  }

  /** @param resume whether the run is then resumed, and must be whole with what it had */
  async kill(resume: boolean): Promise<Outcome> {
    const json = join(this.#folder, `${this.#runs++}.json`);
    const server = TALK_SERVERS[uniformInt(this.#random, 0, TALK_SERVERS.length - 1)] as string;
    const atMs = this.#draw() * this.#runMs;
    const draw = this.#draw();
    const run = new Convoy(...RUN, '--server', server, '--json', json);
    await delay(atMs);
    const victim = killOne(run, draw);
    const where = `${victim} of ${server} killed after ${atMs.toFixed(0)} ms`;
    const faults: string[] = [];
    const ended = await Promise.race([run.finished(), delay(HANG_MS, null, { ref: false })]);
    if (ended === null) {
      faults.push(`${where}: it hangs: ${run.stderr}`);
      for (const pid of run.processes()) process.kill(pid, 'SIGKILL');
    }
    // What is killed after its last word costs nothing.
    const asDocumented: readonly (number | null)[] =
      victim === 'bench' ? [null, EXIT.ok] : victim === null ? [EXIT.ok] : [EXIT.cellFailed, EXIT.ok];
    if (ended !== null && !asDocumented.includes(ended.code)) faults.push(`${where}: exit code ${ended.code}`);
    const orphans = await run.leftovers();
    if (orphans.length > 0) faults.push(`${where}: left are ${orphans.map(describe).join('; ')}`);
    const finished = finishedRounds(run.stderr);
    try {
      const kept = await keptRounds(json);
      const lost = finished.filter((round) => !kept.has(round));
      if (lost.length > 0) faults.push(`${where}: not on the disk: ${lost.join(', ')}`);
      if (resume && existsSync(journalPath(json)))
        faults.push(...(await resumed(json, kept)).map((fault) => `${where}: ${fault}`));
    } catch (error) {
      faults.push(`${where}: what is on the disk is not whole: ${error}`);
    }
    return { victim, exitCode: ended?.code ?? null, finished: finished.length, faults };
  }
}

/** Kills a process of the run: a kind first, so that the one command is killed as often as all servers. */
function killOne(run: Convoy, draw: number): Victim | null {
  const servers = run.processes('server');
  const clients = run.processes('client');
  const all: Record<Victim, number[]> = {
    bench: run.process.exitCode === null && run.process.pid !== undefined ? [run.process.pid] : [],
    server: servers,
    client: clients,
  };
  const there = VICTIMS.filter((victim) => all[victim].length > 0);
  const victim = there[Math.floor(draw * there.length)];
  if (victim === undefined) return null;
  const pid = all[victim][Math.floor(draw * 1e6) % all[victim].length] as number;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return null;
  }
  return victim;
}

/** A process, in words for who looks why it is still there. */
function describe(pid: number): string {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    const [state, parent] = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^(?:State|PPid):.*/gm) ?? [];
    return `${pid} (${command}${state}, ${parent})`;
  } catch {
    return `${pid} (ended by now)`;
  }
}

/** Rounds that stderr says to be measured: `round 1: py32/blocking unloaded`. */
function finishedRounds(stderr: string): string[] {
  return [...stderr.matchAll(/^\[\d+\/\d+\] (round \d+: \S+ \S+):/gm)].map(([, round = '']) => round);
}

/** Rounds that the result file has, or the journal, with their samples. Both must be whole. */
async function keptRounds(json: string): Promise<Map<string, string>> {
  const kept = new Map<string, string>();
  if (existsSync(json)) {
    for (const { server, policy, scenario, rounds } of (await readResult(json)).cells)
      for (const round of rounds)
        if (round.state === 'measured')
          kept.set(`round ${round.round}: ${policy}/${server} ${scenario}`, JSON.stringify(round));
  }
  // A journal of no line is that of a run which had hardly begun.
  if (existsSync(journalPath(json)) && readFileSync(journalPath(json), 'utf8').includes('\n')) {
    for (const { server, policy, scenario, round } of (await readJournal(json)).entries)
      if (round.state === 'measured')
        kept.set(`round ${round.round}: ${policy}/${server} ${scenario}`, JSON.stringify(round));
  }
  return kept;
}

/** Resumes; what is wrong with what came of it. */
async function resumed(json: string, before: ReadonlyMap<string, string>): Promise<string[]> {
  const hasRounds = readFileSync(journalPath(json), 'utf8').includes('\n');
  const { code, stderr } = await new Convoy('--resume', json).finished();
  if (!hasRounds) return code === 64 ? [] : [`a journal without a line was resumed with ${code}: ${stderr}`];
  if (code !== 0) return [`resumed, it ended with ${code}: ${stderr}`];
  const after = await keptRounds(json);
  const changed = [...before].filter(([round, samples]) => after.get(round) !== samples).map(([round]) => round);
  const anew = finishedRounds(stderr).filter((round) => before.has(round));
  return [
    ...(changed.length > 0 ? [`resumed, it lost or changed ${changed.join(', ')}`] : []),
    ...(anew.length > 0 ? [`resumed, it measured ${anew.join(', ')} again`] : []),
    ...(after.size === CELLS ? [] : [`resumed, it has ${after.size} of ${CELLS} rounds`]),
    ...(existsSync(journalPath(json)) ? ['resumed to its end, it left its journal'] : []),
  ];
}
