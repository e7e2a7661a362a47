/** Which cells are measured, and in which order. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { REFERENCE_SERVERS } from '../reference/interpreter.ts';
import { type Column, isReference, type Scenario } from '../result/result.ts';

/** One combination that is measured. */
export interface PlannedCell<Runs extends Column = Column> {
  readonly server: string;
  readonly policy: Runs;
  readonly scenario: Scenario;
}

/** One measurement of one cell. */
export interface PlannedRound {
  readonly round: number;
  readonly cell: PlannedCell;
}

/**
 * Every combination; a server that has no Python in it runs under policies alone. Unloaded cells are always among them: they are what
 * the others are held against.
 *
 * @returns in the order of tables
 */
export function planCells<Runs extends Column>(
  servers: readonly string[],
  policies: readonly Runs[],
  scenarios: readonly Scenario[],
): PlannedCell<Runs>[] {
  const all: readonly Scenario[] = [...new Set<Scenario>(['unloaded', ...scenarios])];
  return servers.flatMap((server) =>
    policies
      .filter((policy) => !isReference(policy) || REFERENCE_SERVERS.includes(server))
      .flatMap((policy) => all.map((scenario) => ({ server, policy, scenario }))),
  );
}

/**
 * Every cell once in each round, each round in an order of its own, so that what drifts on the machine falls on all alike.
 *
 * @param seed the order follows from it alone
 */
export function planRounds(cells: readonly PlannedCell[], rounds: number, seed: number): PlannedRound[] {
  const random = xoroshiro128plus(seed);
  return Array.from({ length: rounds }, (_, i) => i + 1).flatMap((round) => {
    const order = [...cells];
    for (let i = order.length - 1; i > 0; i--) {
      const j = uniformInt(random, 0, i);
      [order[i], order[j]] = [order[j] as PlannedCell, order[i] as PlannedCell];
    }
    return order.map((cell) => ({ round, cell }));
  });
}

/** How messages call a cell. */
export function nameOf({ server, policy, scenario }: PlannedCell): string {
  return `${policy.label}/${server} ${scenario}`;
}
