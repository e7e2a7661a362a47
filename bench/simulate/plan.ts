/** Which cells a simulated run is made of, and their order in its result, whatever part of them is in it. */
import { SERVERS } from '../../server/servers.ts';
import { UsageError } from '../exit-codes.ts';
import { type Cell, type Result, SCENARIOS } from '../result/result.ts';
import { planCells } from '../run/plan.ts';
import type { CellSetup } from './cell.ts';
import type { SimulateOptions } from './options.ts';

/** Their samples must fit into one file, which is one string in memory. */
const MAX_MESSAGES_PER_FILE = 8_000_000;

/**
 * Every combination; without CPU threads only the unloaded ones, which no number of them makes different.
 *
 * @throws UsageError if the result would be too large for a file
 */
export function planSimulation(options: SimulateOptions): CellSetup[] {
  const { workload, profile, seed, shard, timeline } = options;
  const cells = planCells(options.servers, options.policies, options.scenarios).flatMap((cell) =>
    options.cpus.flatMap((cpus) =>
      (cell.scenario === 'unloaded' ? [0] : options.spinners.filter((n) => n > 0)).map((spinners) => ({
        ...cell,
        cpus,
        spinners,
      })),
    ),
  );
  const all = Array.from({ length: options.rounds }, (_, i) => i + 1).flatMap((round) =>
    cells.map((cell) => ({ ...cell, workload, profile, seed, round, records: timeline })),
  );
  const mine = all.filter((_, i) => i % shard.count === shard.index - 1);
  const messages = mine.length * workload.messages;
  if (messages > MAX_MESSAGES_PER_FILE) {
    const shards = Math.ceil((all.length * workload.messages) / MAX_MESSAGES_PER_FILE);
    throw new UsageError(
      `${mine.length} cells of ${workload.messages} messages are more than one result holds: lower --messages, or use --shard 1/${shards} to ${shards}/${shards}`,
    );
  }
  return mine;
}

/** Puts rounds into their cells, cells into their order. */
export function assembleCells(cells: readonly Cell[], policies: Result['policies']): Cell[] {
  const byName = new Map<string, Cell>();
  for (const cell of cells) {
    const { rounds, ...which } = cell;
    const name = JSON.stringify([cell.server, cell.policy, cell.scenario, cell.at?.cpus, cell.at?.spinners]);
    const same = byName.get(name);
    if (same === undefined) byName.set(name, { ...which, rounds: [...rounds] });
    else same.rounds.push(...rounds);
  }
  const servers = Object.keys(SERVERS);
  const labels = policies.map(({ label }) => label);
  const place = (cell: Cell) => [
    servers.indexOf(cell.server),
    labels.indexOf(cell.policy),
    SCENARIOS.indexOf(cell.scenario),
    cell.at?.cpus ?? 0,
    cell.at?.spinners ?? 0,
  ];
  const assembled = [...byName.values()].sort((a, b) => {
    const [placeA, placeB] = [place(a), place(b)];
    return placeA.map((n, i) => n - (placeB[i] ?? 0)).find((difference) => difference !== 0) ?? 0;
  });
  for (const { rounds } of assembled) rounds.sort((a, b) => a.round - b.round);
  return assembled;
}
