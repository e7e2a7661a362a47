/** A sweep over machines: the slowdown by the number of CPUs, a panel for each server, a line for each policy. */
import { figureOf } from '../../figures/metrics.ts';
import type { Summary } from '../../figures/summary.ts';
import { writeFigure } from '../format.ts';
import type { Group, Table } from '../table.ts';
import { rounded, type SweepChart } from './charts.ts';
import type { Figure } from './figure.ts';
import type { Looks } from './looks.ts';

/** Of fewer machines a line says nothing that the tables do not. */
const MIN_MACHINES = 3;

const HEIGHT_PX = 260;

/** Null unless the groups are machines of three sizes or more. Of several numbers of CPU threads the smallest is drawn. */
export function sweepFigure(groups: readonly Group[], looks: Looks): Figure | null {
  const swept = groups
    .flatMap(({ summaries }) => summaries)
    .filter(({ cell }) => cell.at !== undefined && cell.scenario === 'loaded' && cell.at.spinners > 0);
  const fewest = Math.min(...swept.map(spinnersOf));
  const cells = swept.filter((summary) => spinnersOf(summary) === fewest && figureOf(summary, 'slowdown') !== null);
  const machines = [...new Set(cells.map(cpusOf))].sort((a, b) => a - b);
  if (machines.length < MIN_MACHINES) return null;
  const servers = [...new Set(cells.map(({ cell }) => cell.server))];
  const ofServer = (server: string) => cells.filter(({ cell }) => cell.server === server);
  return {
    title: `loaded, ${fewest === 1 ? 'one CPU thread' : `${fewest} CPU threads`}: × unloaded, by the number of CPUs`,
    panels: servers.map((server) => ({
      title: server,
      summary: `How many times as long messages of ${server} take, on ${machines[0]} to ${machines.at(-1)} CPUs. ${sentences(ofServer(server))}.`,
      chart: { kind: 'sweep', series: seriesOf(ofServer(server), looks) },
      heightPx: HEIGHT_PX,
    })),
    panelWidth: 'middle',
    notes: [],
    tables: servers.map((server) => tableOf(server, machines, ofServer(server))),
  };
}

const cpusOf = ({ cell }: Summary) => cell.at?.cpus ?? 0;
const spinnersOf = ({ cell }: Summary) => cell.at?.spinners ?? 0;
const policiesOf = (cells: readonly Summary[]) => [...new Set(cells.map(({ cell }) => cell.policy))];

function seriesOf(cells: readonly Summary[], looks: Looks): SweepChart['series'] {
  return policiesOf(cells).map((policy) => ({
    label: policy,
    look: looks(policy),
    points: cells
      .filter(({ cell }) => cell.policy === policy)
      .map((summary) => [cpusOf(summary), rounded(figureOf(summary, 'slowdown') ?? 0)] as const)
      .sort(([a], [b]) => a - b),
  }));
}

function tableOf(server: string, machines: readonly number[], cells: readonly Summary[]): Table {
  const policies = policiesOf(cells);
  const write = (cpus: number, policy: string) => {
    const found = cells.find((summary) => cpusOf(summary) === cpus && summary.cell.policy === policy);
    return found === undefined ? '' : writeFigure('slowdown', figureOf(found, 'slowdown'));
  };
  return {
    title: `${server}: × unloaded`,
    head: ['CPUs', ...policies],
    keys: 1,
    rows: machines.map((cpus) => [String(cpus), ...policies.map((policy) => write(cpus, policy))]),
    notes: [],
  };
}

function sentences(cells: readonly Summary[]): string {
  return policiesOf(cells)
    .map((policy) => {
      const slowdowns = cells
        .filter(({ cell }) => cell.policy === policy)
        .map((summary) => figureOf(summary, 'slowdown') ?? 0);
      return `${policy}: ${writeFigure('slowdown', Math.min(...slowdowns))} to ${writeFigure('slowdown', Math.max(...slowdowns))}`;
    })
    .join('. ');
}
