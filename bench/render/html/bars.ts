/** The talk's bars: a panel for each policy, a bar for each server, the published figure below ours. */
import { figureOf } from '../../figures/metrics.ts';
import type { Summary } from '../../figures/summary.ts';
import { isTalkWorkload, talkFigureOf } from '../../figures/talk-figures.ts';
import type { Result } from '../../result/result.ts';
import { policyTable, writeCell, writeTalk } from '../policies.ts';
import type { Group } from '../table.ts';
import { type BarRow, rounded } from './charts.ts';
import type { Figure, Panel } from './figure.ts';
import type { Looks } from './looks.ts';

/** A bar this many times the shortest would leave nothing of the others to be seen. */
const OUT_OF_SIGHT = 15;

const ROW_PX = 34;
const AXIS_PX = 40;

/**
 * @param summaries all of the result: those of the unloaded cells are marked in the bars of the others
 */
export function barsFigure(group: Group, summaries: readonly Summary[], result: Result, looks: Looks): Figure {
  const policies = [...new Set(group.summaries.map(({ cell }) => cell.policy))];
  const rowsOf = new Map(
    policies.map((policy) => [
      policy,
      group.summaries
        .filter(({ cell }) => cell.policy === policy)
        .map((summary) => rowOf(summary, summaries, result, looks(policy))),
    ]),
  );
  const axisMax = axisMaxOf([...rowsOf.values()].flat());
  return {
    title: `${group.title}: seconds for 10,000 messages`,
    panels: [...rowsOf].map(
      ([policy, rows]): Panel => ({
        title: policy,
        summary: `Seconds for 10,000 messages under ${policy}, ${group.title}. ${rows.map(sentence).join('. ')}.`,
        chart: { kind: 'bars', policy, unit: 's', axisMax, rows, limits: [] },
        heightPx: Math.max(...[...rowsOf.values()].map(({ length }) => length)) * ROW_PX + AXIS_PX,
      }),
    ),
    panelWidth: 'narrow',
    notes: [
      'All panels have the same axis, from zero. A bar that is cut runs on beyond it: its value is written beside it.',
    ],
    tables: [policyTable(group, result)],
  };
}

function rowOf(summary: Summary, summaries: readonly Summary[], result: Result, look: number): BarRow {
  const { server, policy, scenario, at } = summary.cell;
  const total = figureOf(summary, 'total');
  const talk = isTalkWorkload(result.workload) ? talkFigureOf(server, policy, scenario) : undefined;
  const unloaded =
    scenario === 'unloaded'
      ? undefined
      : summaries.find(
          ({ cell }) =>
            cell.server === server &&
            cell.policy === policy &&
            cell.scenario === 'unloaded' &&
            cell.at?.cpus === at?.cpus,
        );
  const unloadedNs = unloaded === undefined ? null : figureOf(unloaded, 'total');
  return {
    label: server,
    look,
    value: total === null ? null : rounded(total / 1e9),
    text: writeCell(summary),
    talk: talk === undefined ? null : { value: talk.seconds, text: writeTalk(talk) },
    mark: unloadedNs === null ? null : rounded(unloadedNs / 1e9),
  };
}

/** The end of the axis: beyond the longest bar that leaves the others visible. Most must be uncut, or none is cut. */
export function axisMaxOf(rows: readonly BarRow[]): number {
  const values = rows
    .flatMap(({ value, talk, mark }) => [value, talk?.value ?? null, mark])
    .filter((value) => value !== null)
    .sort((a, b) => a - b);
  const shortest = values[0] ?? 1;
  const seen = values.filter((value) => value <= OUT_OF_SIGHT * shortest);
  const longest = (seen.length >= values.length / 2 ? seen.at(-1) : values.at(-1)) ?? 1;
  return niceAbove(longest);
}

/** The next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((each) => each * power >= value) ?? 10;
  return step * power;
}

function sentence({ label, text, talk }: BarRow): string {
  return `${label}: ${text}${talk === null ? '' : `, in the talk ${talk.text}`}`;
}
