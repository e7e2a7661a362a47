/**
 * Counts how many ticks of Python 2.7 go into a leaf of ours: what a CPU thread of each gets done alone. Nobody else works meanwhile, and they take
 * turns: two that work at a time may share a core, which costs one more than the other, and a shared machine halves its speed for seconds.
 */
import type { PolicySpec } from '../../lock/policy-spec.ts';
import { endProcess, type SideSetup, startServerSide } from '../measure/server-side.ts';
import { type Alone, type TicksOfWork, ticksOf } from '../profiles/calibration.ts';
import type { Interpreter } from './interpreter.ts';

/** Of a tenth of a second or so, in each turn. */
const MOMENTS = 3;

/**
 * Counts.
 *
 * @param original an interpreter
 * @param ours a policy of ours, whose CPU thread is held against it
 * @param turns of each
 * @param interrupted ends it after the turn that is being measured, `killed` at once
 * @returns of the turns there were; null if it counts no ticks, or that cannot be seen
 */
export async function countTicks(
  original: Interpreter,
  ours: PolicySpec,
  setup: SideSetup,
  turns: number,
  interrupted: AbortSignal,
  killed: AbortSignal,
): Promise<TicksOfWork | null> {
  const theirTurns: Alone[] = [];
  const ourTurns: Alone[] = [];
  for (let turn = 0; turn < turns && !interrupted.aborted; turn++) {
    theirTurns.push(await workAlone(original, setup, killed));
    ourTurns.push(await workAlone(ours, setup, killed));
  }
  return ticksOf(theirTurns, ourTurns);
}

/** Starts a process with CPU threads and no client, looks how fast it works, and ends it. */
async function workAlone(policy: Interpreter | PolicySpec, setup: SideSetup, killed: AbortSignal): Promise<Alone> {
  const role = { what: 'the CPU process', port: 0, loggedCalls: 0, records: false };
  const side = startServerSide({ server: 'blocking', policy }, setup, role);
  const kill = () => side.process.kill();
  killed.addEventListener('abort', kill, { once: true });
  try {
    await side.start();
    await side.spin();
    await side.begin();
    const roundsPerSecond: number[] = [];
    for (let moment = 0; moment < MOMENTS; moment++) roundsPerSecond.push((await side.solo()).roundsPerSecond);
    const { reading } = await side.end();
    return { roundsPerSecond, rounds: reading.spinnerRounds, yields: reading.spinners?.yields ?? 0 };
  } finally {
    await endProcess(side.process);
    killed.removeEventListener('abort', kill);
  }
}
