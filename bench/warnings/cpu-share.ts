/** The talk's unloaded servers ran at 10–20 % CPU. Where ours do not, the reader is told what their time is made of. */

import { measuredRounds } from '../figures/summary.ts';
import { isTalkPaced, TALK_CPU_SHARE } from '../figures/talk-figures.ts';
import type { Cell, MeasuredRound, Warning, Workload } from '../result/result.ts';

/** One warning for each server, over all policies: unloaded, the policy hardly shows. */
export function cpuShareWarnings(cells: readonly Cell[], workload: Workload): Warning[] {
  if (!isTalkPaced(workload)) return [];
  const servers = [...new Set(cells.map(({ server }) => server))];
  return servers.flatMap((server) => {
    const rounds = cells
      .filter((cell) => cell.server === server && cell.scenario === 'unloaded')
      .flatMap(measuredRounds);
    return rounds.length === 0 ? [] : warningOf(server, rounds, workload);
  });
}

function warningOf(server: string, rounds: readonly MeasuredRound[], workload: Workload): Warning[] {
  const sum = (value: (round: MeasuredRound) => number) => rounds.reduce((total, round) => total + value(round), 0);
  const durationNs = sum(({ reading }) => reading.durationNs);
  const share = sum(({ reading }) => reading.cpuNs) / durationNs;
  if (share >= TALK_CPU_SHARE.low && share <= TALK_CPU_SHARE.high) return [];
  const calls = sum(({ reading }) => reading.server?.transitions ?? 0);
  const work = (calls * workload.interpreterCostNs) / durationNs;
  const callsPerMessage = calls / sum(({ rttNs }) => rttNs.length);
  const percent = (part: number) => `${(part * 100).toFixed(1)} %`;
  return [
    {
      kind: 'cpu-share',
      message:
        `${server} unloaded uses ${percent(share)} of a CPU, where the talk says ` +
        `${TALK_CPU_SHARE.low * 100}–${TALK_CPU_SHARE.high * 100} %: about ${percent(work)} is interpreter work ` +
        `(${callsPerMessage.toFixed(1)} calls a message, ${workload.interpreterCostNs / 1e3} µs each), ` +
        `${percent(Math.max(0, share - work))} system calls and the runtime`,
      advice: adviceFor(share, work),
    },
  ];
}

function adviceFor(share: number, work: number): string {
  if (share > TALK_CPU_SHARE.high) return 'other work of the machine makes calls dearer: run it on a quiet machine';
  return work === 0
    ? 'CPUs are faster than in 2011; no interpreter takes part in this server'
    : 'CPUs are faster than in 2011; a larger --interpreter-cost stands for a slower interpreter';
}
