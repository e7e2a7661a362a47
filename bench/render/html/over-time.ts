/** Round trips as a run goes on: the fastest, the median and the slowest of each stretch of time, a panel for each cell. */
import { percentile, sortSamples } from '../../statistics.ts';
import type { Summary } from '../../summary.ts';
import { writeFigure } from '../format.ts';
import type { Group, Table } from '../table.ts';
import { type OverTimeChart, rounded } from './charts.ts';
import type { Figure } from './figure.ts';
import type { Looks } from './looks.ts';

/** Of the longest run of a server; a shorter one has fewer. */
const STRETCHES = 60;

const HEIGHT_PX = 150;

/** One figure for each server. */
export function overTimeFigures(group: Group, looks: Looks): Figure[] {
  const measured = group.summaries.filter(({ rounds }) => rounds.length > 0);
  const servers = [...new Set(measured.map(({ cell }) => cell.server))];
  return servers.map((server) => {
    const ofServer = measured.filter(({ cell }) => cell.server === server);
    const untilNs = Math.max(...ofServer.flatMap(({ rounds }) => rounds.map(({ raw }) => raw.durationNs)));
    const stretchNs = Math.max(1, untilNs / STRETCHES);
    const charts = ofServer.map((summary) => ({
      policy: summary.cell.policy,
      chart: chartOf(summary, untilNs, stretchNs, looks(summary.cell.policy)),
    }));
    return {
      title: `${group.title}, ${server}: latency over time`,
      panels: charts.map(({ policy, chart }) => ({
        title: policy,
        summary: `Round trips of ${server} under ${policy} over ${writeFigure('total', untilNs)} s. ${sentence(chart)}.`,
        chart,
        heightPx: HEIGHT_PX,
      })),
      panelWidth: 'narrow',
      notes: [
        `Reduced: of each ${writeFigure('max', stretchNs)} ms of a run the band goes from the fastest to the slowest message sent in it, the line is the median; ` +
          'all rounds laid over each other. Each panel has its own axis upwards, from zero.',
      ],
      tables: [tableOf(`${group.title}, ${server}: fastest / median / slowest round trip, ms`, charts, stretchNs)],
    };
  });
}

function chartOf({ rounds }: Summary, untilNs: number, stretchNs: number, look: number): OverTimeChart {
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

function tableOf(
  title: string,
  charts: readonly { readonly policy: string; readonly chart: OverTimeChart }[],
  stretchNs: number,
): Table {
  const write = (ms: number) => writeFigure('p50', ms * 1e6);
  const starts = Array.from({ length: STRETCHES }, (_, i) => rounded((i * stretchNs) / 1e9));
  return {
    title,
    head: ['from, s', ...charts.map(({ policy }) => policy)],
    keys: 1,
    rows: starts.map((start) => [
      start.toString(),
      ...charts.map(({ chart }) => {
        const point = chart.points.find(([at]) => at === start);
        return point === undefined ? '' : point.slice(1).map(write).join(' / ');
      }),
    ]),
    notes: ['empty: no message was sent then'],
  };
}

function sentence({ points }: OverTimeChart): string {
  const medians = points.map(([, , median]) => median);
  const write = (ms: number) => `${writeFigure('p50', ms * 1e6)} ms`;
  return `Medians from ${write(Math.min(...medians))} to ${write(Math.max(...medians))}, the slowest message ${write(
    Math.max(...points.map(([, , , max]) => max)),
  )}`;
}
