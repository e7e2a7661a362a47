/** The table of the talk: servers as rows, policies as columns, the talk's own figure below ours. */
import { figureOf } from '../figures/metrics.ts';
import type { Summary } from '../figures/summary.ts';
import { isTalkWorkload, type TalkFigure, talkFigureOf } from '../figures/talk-figures.ts';
import type { Result } from '../result/result.ts';
import { writeFigure } from './format.ts';
import { type Group, isUnloaded, type Table } from './table.ts';

export function policyTable(group: Group, result: Result): Table {
  const { title, summaries } = group;
  const unloaded = isUnloaded(group);
  const servers = [...new Set(summaries.map(({ cell }) => cell.server))];
  const policies = [...new Set(summaries.map(({ cell }) => cell.policy))];
  const comparable = isTalkWorkload(result.workload);
  const published = summaries.some(({ cell }) => talkFigureOf(cell.server, cell.policy, cell.scenario));
  return {
    title: `${title}: seconds for 10,000 messages${unloaded ? '' : ', × unloaded'}`,
    head: ['server', ...policies],
    keys: 1,
    rows: servers.flatMap((server) => {
      const row = policies.map((policy) =>
        summaries.find(({ cell }) => cell.server === server && cell.policy === policy),
      );
      const ours = row.map((summary) => (summary === undefined ? '' : writeCell(summary)));
      const figures = row.map((summary) =>
        comparable && summary !== undefined
          ? talkFigureOf(server, summary.cell.policy, summary.cell.scenario)
          : undefined,
      );
      const talks = figures.some((figure) => figure !== undefined)
        ? [['  in the talk', ...figures.map((figure) => (figure === undefined ? '' : writeTalk(figure)))]]
        : [];
      return [[server, ...ours], ...talks];
    }),
    notes: [
      ...(unloaded
        ? []
        : [
            `×: against the same policy unloaded, round by round${
              comparable && published ? '; in the talk against Python 3.2 unloaded' : ''
            }`,
          ]),
      ...projectedNote(summaries),
      ...(comparable || !published ? [] : ['without the figures of the talk, which are of another workload']),
    ],
  };
}

/** `66.1 s* 5.60×`, or why there is no figure. */
export function writeCell(summary: Summary): string {
  if (summary.measuredRounds === 0) return summary.failures.length > 0 ? 'failed' : 'not run';
  if (summary.messages === 0) return 'no message';
  const slowdown = figureOf(summary, 'slowdown');
  const seconds = `${writeFigure('total', figureOf(summary, 'total'))} s${summary.overBudget ? '*' : ''}`;
  return slowdown === null ? seconds : `${seconds} ${writeFigure('slowdown', slowdown)}×`;
}

/** `142.7 s 12.1×`, with as many decimals as on the slide. */
export function writeTalk({ seconds, slower }: TalkFigure): string {
  const ratio = slower === null ? '' : slower === 1 ? ' same' : ` ${slower.toFixed(slower < 100 ? 1 : 0)}×`;
  return `${seconds.toFixed(1)} s${ratio}`;
}

/** The marks in figures of time. */
export function projectedNote(summaries: readonly Summary[]): string[] {
  const notes = [
    ...(summaries.some(({ projected }) => projected) ? ['projected from fewer messages'] : []),
    ...(summaries.some(({ overBudget }) => overBudget) ? ['*: stopped at the time budget'] : []),
  ];
  return notes.length === 0 ? [] : [`s: ${notes.join('; ')}`];
}
