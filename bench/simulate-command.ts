/** `convoy simulate`: the servers and policies of `bench` in simulated time, on any number of CPUs. */
import { styleText } from 'node:util';
import { EXIT } from './exit-codes.ts';
import { interruptible } from './interrupts.ts';
import { writeOutputs } from './outputs.ts';
import { Progress } from './progress.ts';
import { renderChromeTrace } from './render/chrome-trace.ts';
import { renderTerminal } from './render/terminal.ts';
import { whyNotWritten, writeResult, writeWhole } from './result-file.ts';
import { compareWithMeasured, renderComparison } from './simulate/against.ts';
import type { SimulateOptions } from './simulate/options.ts';
import { planSimulation } from './simulate/plan.ts';
import { runSimulation } from './simulate/run.ts';

/** @returns the exit code */
export async function simulateCommand(options: SimulateOptions): Promise<number> {
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
<<<<<<< HEAD
  const { jsonPath, tracePath } = options;
  const failures = [
    jsonPath === null ? null : await whyNotWritten(jsonPath, () => writeResult(jsonPath, result)),
    tracePath === null ? null : await whyNotWritten(tracePath, () => writeWhole(tracePath, renderChromeTrace(result))),
  ].filter((why) => why !== null);
  for (const why of failures) process.stderr.write(`convoy: ${why}\n`);
=======
  const { jsonPath, reportPath } = options;
  const why = jsonPath === null ? null : await whyNotWritten(jsonPath, () => writeResult(jsonPath, result));
  const outputs = { json: jsonPath, csv: null, markdown: null, report: reportPath };
  const written = await writeOutputs(outputs, result, why === null ? [] : [why]);
>>>>>>> main
  process.stdout.write(`$renderTerminal(result, styleText)\n`);
  if (options.against !== null) {
    process.stdout.write(`\n${renderComparison(compareWithMeasured(result, options.against))}\n`);
  }
  if (result.interrupted) return EXIT.interrupted;
<<<<<<< HEAD
  if (failures.length > 0) return EXIT.notWritten;
=======
  if (!written) return EXIT.notWritten;
>>>>>>> main
  const failed = result.cells.some((cell) => cell.rounds.some((round) => round.state === 'failed'));
  return failed ? EXIT.cellFailed : EXIT.ok;
}
