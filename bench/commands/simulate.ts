/** `convoy simulate`: the servers and policies of `bench` in simulated time, on any number of CPUs. */
import { styleText } from 'node:util';
import { EXIT } from '../exit-codes.ts';
import { writeOutputs } from '../outputs/outputs.ts';
import { renderTerminal } from '../render/terminal.ts';
import { whyNotWritten, writeResult } from '../result/result-file.ts';
import { interruptible } from '../run/interrupts.ts';
import { Progress } from '../run/progress.ts';
import { compareWithMeasured, renderComparison } from '../simulate/against.ts';
import { readSimulateOptions, type SimulateArguments, withSimulateOptions } from '../simulate/options.ts';
import { planSimulation } from '../simulate/plan.ts';
import { runSimulation } from '../simulate/run.ts';

export const withOptions = withSimulateOptions;

/** @returns the exit code */
export async function run(args: SimulateArguments, argv: readonly string[]): Promise<number> {
  const options = await readSimulateOptions(args, argv);
  const tasks = planSimulation(options);
  const progress = new Progress(tasks.length, process.stderr);
  const result = await interruptible(progress, (interrupted) =>
    runSimulation(
      options,
      tasks,
      {
        onRound(setup, round, done, total) {
          progress.simulated(`${setup.policy.label}/${setup.server} ${setup.scenario}`, round, done, total);
        },
      },
      interrupted,
    ),
  );
  progress.end();
  const { jsonPath, reportPath, tracePath } = options;
  const why = jsonPath === null ? null : await whyNotWritten(jsonPath, () => writeResult(jsonPath, result));
  const outputs = { json: jsonPath, csv: null, markdown: null, report: reportPath, trace: tracePath };
  const written = await writeOutputs(outputs, result, why === null ? [] : [why]);
  process.stdout.write(`${renderTerminal(result, styleText)}\n`);
  if (options.against !== null) {
    process.stdout.write(`\n${renderComparison(compareWithMeasured(result, options.against))}\n`);
  }
  if (result.interrupted) return EXIT.interrupted;
  if (!written) return EXIT.notWritten;
  const failed = result.cells.some((cell) => cell.rounds.some((round) => round.state === 'failed'));
  return failed ? EXIT.cellFailed : EXIT.ok;
}
