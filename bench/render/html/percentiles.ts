/** What so many per cent of the messages did not exceed, a panel for each server, a line for each policy. */
import { pooledPercentile } from '../../figures/statistics.ts';
import type { Summary } from '../../figures/summary.ts';
import { plural, writeFigure, writeWithUnit } from '../format.ts';
import type { Group, Table } from '../table.ts';
import { type PercentilesChart, rounded } from './charts.ts';
import type { Figure, Panel } from './figure.ts';
import type { Looks } from './looks.ts';

/** A curve goes through these; each is a round trip that was observed. */
const QUANTILES = [
  0, 5, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 96, 97, 98, 99, 99.3, 99.5, 99.7, 99.9, 99.95, 99.99,
  99.999,
] as const;

const HEIGHT_PX = 300;

/** How to read the curves. */
export const PERCENTILES_NOTES = [
  'Both axes are logarithmic: up, the round trip; to the right, the share of messages that took no longer; ' +
    'from one line to the next the rest is a tenth.',
  `Reduced: each line goes through the ${QUANTILES.length} percentiles of the table and the maximum.`,
] as const;

export function percentilesFigure(group: Group, looks: Looks): Figure {
  const measured = group.summaries.filter(({ rounds }) => rounds.length > 0);
  const servers = [...new Set(measured.map(({ cell }) => cell.server))];
  const ofServer = (server: string) => measured.filter(({ cell }) => cell.server === server);
  return {
    title: `${group.title}: round trips, slowest last`,
    panels: servers.map((server) => percentilesPanel(server, `Round trips of ${server}.`, ofServer(server), looks)),
    panelWidth: 'middle',
    notes: PERCENTILES_NOTES,
    tables: servers.map((server) => percentilesTable(`${group.title}, ${server}: round trip, ms`, ofServer(server))),
  };
}

/**
 * The curves of some cells over each other.
 *
 * @param what they are of, as a sentence
 * @param summaries of cells with messages
 */
export function percentilesPanel(title: string, what: string, summaries: readonly Summary[], looks: Looks): Panel {
  return {
    title,
    summary: `${what} ${summaries.map(sentence).join('. ')}.`,
    chart: { kind: 'percentiles', series: summaries.map((summary) => seriesOf(summary, looks)) },
    heightPx: HEIGHT_PX,
  };
}

/** Percentiles that are not simply the largest. */
function quantilesOf({ messages }: Summary): number[] {
  return QUANTILES.filter((percent) => percent <= 100 - 100 / messages);
}

function ms(summary: Summary, percent: number): number {
  return (
    pooledPercentile(
      summary.rounds.map(({ rttNs }) => rttNs),
      percent,
    ) / 1e6
  );
}

function seriesOf(summary: Summary, looks: Looks): PercentilesChart['series'][number] {
  return {
    label: summary.cell.policy,
    look: looks(summary.cell.policy),
    messages: summary.messages,
    points: quantilesOf(summary).map((percent) => [percent, rounded(ms(summary, percent))]),
    maxMs: rounded(ms(summary, 100)),
  };
}

/** The same as a table. */
export function percentilesTable(title: string, summaries: readonly Summary[]): Table {
  return {
    title,
    head: ['no more than', ...summaries.map(({ cell }) => cell.policy)],
    keys: 1,
    rows: [...QUANTILES, 100].map((percent) => [
      percent === 100 ? 'the longest' : `${percent} %`,
      ...summaries.map((summary) =>
        percent === 100 || quantilesOf(summary).includes(percent) ? writeFigure('p50', ms(summary, percent) * 1e6) : '',
      ),
    ]),
    notes: ['of all rounds together, each value one that was observed; empty where there were too few messages'],
  };
}

function sentence(summary: Summary): string {
  const write = (percent: number) => writeWithUnit('p50', ms(summary, percent) * 1e6);
  return `${summary.cell.policy}: half within ${write(50)}, 99 per cent within ${write(99)}, the longest ${write(100)}, of ${plural(summary.messages, 'message')}`;
}
