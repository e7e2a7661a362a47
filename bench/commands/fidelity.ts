/** `convoy fidelity`: each policy beside the interpreter it emulates, in alternating rounds, and how far it is from it. */
import { styleText } from 'node:util';
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { EXIT, UsageError } from '../exit-codes.ts';
import { compareFidelity, emulationOf, worst } from '../figures/fidelity.ts';
import { OPTIONS as BENCH_OPTIONS } from '../options/bench.ts';
import { type RunOptions, readOptions } from '../options/read-bench.ts';
import { refuseRepeated, split } from '../options/values.ts';
import { writeOutputs } from '../outputs/outputs.ts';
import {
  AUTO,
  findReferences,
  isInterpreter,
  REFERENCE_SERVERS,
  type ReferenceSpec,
} from '../reference/interpreter.ts';
import { renderFidelity } from '../render/fidelity.ts';
import { isReference, type Result } from '../result/result.ts';
import { runAndKeep } from '../run/run-and-keep.ts';

/** Policies follow from interpreters; thresholds are set; presets, config files and other machines are for `bench`. */
const {
  scenario: _scenario,
  policy: _policy,
  assert: _assert,
  preset: _preset,
  config: _config,
  connect: _connect,
  'token-file': _tokenFile,
  ...SHARED
} = BENCH_OPTIONS;
const OPTIONS = {
  ...SHARED,
  reference: { ...SHARED.reference, default: [AUTO], describe: 'interpreters, commands or paths; auto: all there are' },
  server: {
    ...SHARED.server,
    default: REFERENCE_SERVERS,
    describe: 'echo servers, by default all there are in Python',
  },
  rounds: { ...SHARED.rounds, default: '5' },
} as const satisfies Record<string, Options>;

/** Adds the options to the command. */
export function withOptions(yargs: Argv): Argv<InferredOptionTypes<typeof OPTIONS>> {
  return yargs.options(OPTIONS);
}

/** @returns the exit code */
export async function run(args: InferredOptionTypes<typeof OPTIONS>, argv: readonly string[]): Promise<number> {
  refuseRepeated(args, OPTIONS);
  const references = await findReferences(split(args.reference));
  const emulations = [...new Set(references.flatMap((reference) => emulationOf(reference) ?? []))];
  const notes = references.flatMap((reference) => noteOf(reference) ?? []);
  if (emulations.length === 0) throw new UsageError(['there is no interpreter to compare with', ...notes].join('\n'));
  const bench = await readOptions(
    {
      ...args,
      ...{ server: [...args.server], reference: [], scenario: ['loaded'], policy: emulations },
      ...{
        assert: undefined,
        calibrate: undefined,
        preset: undefined,
        config: undefined,
        connect: undefined,
        'token-file': undefined,
      },
    },
    argv,
  );
  const paired = references.filter((reference) => emulationOf(reference) !== null);
  const options: RunOptions = { ...bench, policies: [...bench.policies, ...paired] };
  const { result, unwritten } = await runAndKeep(options, {
    concluded: (measured) => ({ ...measured, fidelity: compareFidelity(measured) }),
  });
  const written = await writeOutputs(options.outputs, result, unwritten);
  const comparisons = result.fidelity ?? [];
  process.stdout.write(`${renderFidelity(comparisons, notes, styleText)}\n`);
  if (result.interrupted) return EXIT.interrupted;
  if (!written) return EXIT.notWritten;
  if (references.some(({ from }) => from.kind === 'absent') || hasUnexpectedFailure(result)) return EXIT.cellFailed;
  const verdict = worst(comparisons.flatMap((each) => (each.state === 'compared' ? [each.verdict] : [])));
  return { pass: EXIT.ok, fail: EXIT.thresholdFailed, inconclusive: EXIT.inconclusive }[verdict];
}

/** Why a reference is compared with nothing; null if it is compared. */
function noteOf(reference: ReferenceSpec): string | null {
  if (emulationOf(reference) !== null) return null;
  const { from, label } = reference;
  if (from.kind === 'absent') return `${from.name}: not compared: ${from.why}`;
  return `${label}: not compared: no policy emulates it`;
}

/** An interpreter without pyzmq is expected: it is compared on the other servers. */
function hasUnexpectedFailure({ cells, policies }: Result): boolean {
  const without = policies.filter(
    (column) => isReference(column) && isInterpreter(column) && column.from.pyzmq === null,
  );
  return cells
    .filter(({ server, policy }) => server !== 'zeromq' || without.every(({ label }) => label !== policy))
    .some(({ rounds }) => rounds.some(({ state }) => state === 'failed'));
}
