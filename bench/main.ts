#!/usr/bin/env node
/** The command line. */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import packageJson from '../package.json' with { type: 'json' };
import { benchCommand } from './bench-command.ts';
import { calibrateCommand, withCalibrateOptions } from './calibrate-command.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import { fidelityCommand, withFidelityOptions } from './fidelity-command.ts';
import { readOptions, withOptions } from './options.ts';

const argv = hideBin(process.argv);

try {
  await yargs(argv)
    .scriptName('convoy')
    .usage('$0 [command]\n\nA laboratory for global-lock scheduling.')
    .command(['bench', '$0'], 'measure echo servers under lock policies', withOptions, async (args) => {
      process.exitCode = await benchCommand(await readOptions(args, argv));
    })
    .command('fidelity', 'put policies beside the interpreters they emulate', withFidelityOptions, async (args) => {
      process.exitCode = await fidelityCommand(args, argv);
    })
    .command('calibrate', 'measure an interpreter, for --profile', withCalibrateOptions, async (args) => {
      process.exitCode = await calibrateCommand(args, argv);
    })
    .version(packageJson.version)
    .alias('help', 'h')
    .strict()
    .parserConfiguration({ 'duplicate-arguments-array': true, 'greedy-arrays': false })
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    .fail((message, error) => {
      throw error ?? new UsageError(message);
    })
    .parseAsync();
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`convoy: ${error.message}\nconvoy --help lists the options.\n`);
    process.exitCode = EXIT.usage;
  } else {
    process.stderr.write(`convoy: internal error: ${error instanceof Error ? error.stack : error}\n`);
    process.exitCode = EXIT.internalError;
  }
}
