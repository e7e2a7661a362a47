/** Round trips as a run goes on: the fastest, the median and the slowest of each stretch of time, a panel for each cell. */
import { percentile, sortSamples } from '../../figures/statistics.ts';
import type { Summary } from '../../figures/summary.ts';
import { writeFigure } from '../format.ts';
import type { Group, Table } from '../table.ts';
import { type OverTimeChart, rounded } from './charts.ts';
import type { Figure } from './figure.ts';
import type { Looks } from './looks.ts';

/** Of a run, however long it was. */
const STRETCHES = 60;

const HEIGHT_PX = 150;

interface Cell {
  readonly policy: string;
  readonly chart: OverTimeChart;
}

/** One figure for each server. */
export function overTimeFigures(group: Group, looks: Looks): Figure[] {
  const measured = group.summaries.filter(({ rounds }) => rounds.length > 0);
  const servers = [...new Set(measured.map(({ cell }) => cell.server))];
  return servers.map((server) => {
    const cells = measured
      .filter(({ cell }) => cell.server === server)
      .map((summary): Cell => ({ policy: summary.cell.policy, chart: chartOf(summary, looks(summary.cell.policy)) }));
    return {
      title: `${group.title}, ${server}: latency over time`,
      panels: cells.map(({ policy, chart }) => ({
        title: policy,
        summary: `Round trips of ${server} under ${policy} over ${writeFigure('total', chart.untilS * 1e9)} s. ${sentence(chart)}.`,
        chart,
        heightPx: HEIGHT_PX,
      })),
      panelWidth: 'narrow',
      notes: [
        `Each panel has axes of its own, from zero. Reduced: of each ${STRETCHES}th of a run the band goes from the fastest to the slowest message sent in it, ` +
          'the line is their median; all rounds laid over each other.',
      ],
      tables: [tableOf(`${group.title}, ${server}: from when, fastest / median / slowest round trip, ms`, cells)],
    };
  });
}

function chartOf({ rounds }: Summary, look: number): OverTimeChart {
  const untilNs = Math.max(1, ...rounds.map(({ raw }) => raw.durationNs));
  const stretchNs = untilNs / STRETCHES;
  const stretches: number[][] = Array.from({ length: STRETCHES }, () => []);
  for (const { raw } of rounds) {
    for (const [i, sentNs] of raw.sentNs.entries()) {
      stretches[Math.min(STRETCHES - 1, Math.floor(sentNs / stretchNs))]?.push(raw.rttNs[i] ?? 0);
    }
  }
  return {
    kind: 'over-time',
    look,
    untilS: rounded(untilNs / 1e9),
    points: stretches.flatMap((rttNs, i) => {
      if (rttNs.length === 0) return [];
      const sorted = sortSamples(rttNs);
      const [min, median, max] = [0, 50, 100].map((percent) => rounded(percentile(sorted, percent) / 1e6));
      return [[rounded((i * stretchNs) / 1e9), min ?? 0, median ?? 0, max ?? 0] as const];
    }),
  };
}

function tableOf(title: string, cells: readonly Cell[]): Table {
  const write = (ms: number) => writeFigure('p50', ms * 1e6);
  const longest = Math.max(...cells.map(({ chart }) => chart.points.length));
  return {
    title,
    head: cells.map(({ policy }) => policy),
    keys: 0,
    rows: Array.from({ length: longest }, (_, i) =>
      cells.map(({ chart }) => {
        const [at, ...ms] = chart.points[i] ?? [];
        return at === undefined ? '' : `${at} s: ${ms.map(write).join(' / ')}`;
      }),
    ),
    notes: ['stretches of time in which a message was sent'],
  };
}

function sentence({ points }: OverTimeChart): string {
  const medians = points.map(([, , median]) => median);
  const write = (ms: number) => `${writeFigure('p50', ms * 1e6)} ms`;
  return `Medians from ${write(Math.min(...medians))} to ${write(Math.max(...medians))}, the slowest message ${write(
    Math.max(...points.map(([, , , max]) => max)),
  )}`;
}
