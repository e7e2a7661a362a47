#!/usr/bin/env node
/** The command line. */
import yargs from 'yargs';
import { hideBin, Parser } from 'yargs/helpers';
import packageJson from '../package.json' with { type: 'json' };
import { benchCommand } from './commands/bench.ts';
import { calibrateCommand, withCalibrateOptions } from './commands/calibrate.ts';
import { checkCommand, withCheckOptions } from './commands/check.ts';
import { clientCommand, withClientOptions } from './commands/client.ts';
import { compareCommand } from './commands/compare.ts';
import { demoCommand, withDemoOptions } from './commands/demo.ts';
import { fidelityCommand, withFidelityOptions } from './commands/fidelity.ts';
import { mergeCommand } from './commands/merge.ts';
import { reportCommand } from './commands/report.ts';
import { schemaCommand } from './commands/schema.ts';
import { serveCommand, withServeOptions } from './commands/serve.ts';
import { showCommand } from './commands/show.ts';
import { simulateCommand } from './commands/simulate.ts';
import { traceCommand, withTraceOptions } from './commands/trace.ts';
import { EXIT, UnavailableError, UsageError } from './exit-codes.ts';
import { OPTIONS, readOptions, withOptions } from './options/options.ts';
import { gatherOptions } from './options/sources.ts';
import { readJournal } from './run/journal.ts';
import { readSimulateOptions, withSimulateOptions } from './simulate/options.ts';

const argv = hideBin(process.argv);

/** Options of `bench` that are not on the command line. */
async function otherOptions() {
  const { preset, config, resume } = Parser(argv, { string: ['preset', 'config', 'resume'] });
  if (typeof resume === 'string') return (await readJournal(resume)).header.given;
  const warn = (message: string) => process.stderr.write(`convoy: ${message}\n`);
  return gatherOptions(Object.keys(OPTIONS), { preset, config }, process.env, warn);
}

try {
  await yargs(argv)
    .scriptName('convoy')
    .usage('$0 [command]\n\nA laboratory for global-lock scheduling.')
    .command(
      ['bench', '$0'],
      'measure echo servers under lock policies',
      async (command) => withOptions(command).config(await otherOptions()),
      async (args) => {
        process.exitCode = await benchCommand(await readOptions(args, argv));
      },
    )
    .command(
      'show <result>',
      'show a result file again',
      (command) =>
        command
          .positional('result', { type: 'string', demandOption: true, describe: 'a file that bench --json wrote' })
          .option('markdown', { type: 'boolean', describe: 'as Markdown' })
          .option('csv', { type: 'boolean', describe: 'as CSV', conflicts: 'markdown' }),
      async ({ result, markdown, csv }) => {
        process.exitCode = await showCommand(
          result,
          markdown === true ? 'markdown' : csv === true ? 'csv' : 'terminal',
        );
      },
    )
    .command(
      'report <result>',
      'write a result file as a page with charts',
      (command) =>
        command
          .positional('result', { type: 'string', demandOption: true, describe: 'a file that --json wrote' })
          .option('output', { alias: 'o', type: 'string', demandOption: true, describe: 'the file for the page' }),
      async ({ result, output }) => {
        process.exitCode = await reportCommand(result, output);
      },
    )
    .command(
      'compare <a> <b>',
      'what became faster or slower from one result file to another',
      (command) =>
        command
          .positional('a', { type: 'string', demandOption: true, describe: 'the result file to compare with' })
          .positional('b', { type: 'string', demandOption: true, describe: 'the result file to compare' }),
      async ({ a, b }) => {
        process.exitCode = await compareCommand(a, b);
      },
    )
    .command(
      'trace <result>',
      'show a slow message of a recorded result, moment by moment',
      withTraceOptions,
      async ({ result, ...args }) => {
        process.exitCode = await traceCommand(result, args);
      },
    )
    .command(
      'serve',
      'run one server until told to end; or be an agent for bench --connect',
      withServeOptions,
      async (args) => {
        process.exitCode = await serveCommand(args);
      },
    )
    .command('client', 'make round trips to a server that runs somewhere', withClientOptions, async (args) => {
      process.exitCode = await clientCommand(args, argv);
    })
    .command('schema', 'print the JSON Schema of result files', {}, () => {
      process.exitCode = schemaCommand();
    })
    .command('check [policies..]', 'prove policies in every interleaving', withCheckOptions, async (args) => {
      process.exitCode = await checkCommand(args);
    })
    .command('simulate', 'the same in simulated time, on any number of CPUs', withSimulateOptions, async (args) => {
      process.exitCode = await simulateCommand(await readSimulateOptions(args, argv));
    })
    .command('fidelity', 'put policies beside the interpreters they emulate', withFidelityOptions, async (args) => {
      process.exitCode = await fidelityCommand(args, argv);
    })
    .command(
      'calibrate',
      'measure this machine for simulate, or an interpreter for bench; wants the machine to itself',
      withCalibrateOptions,
      async (args) => {
        process.exitCode = await calibrateCommand(args, argv);
      },
    )
    .command('demo', 'a page with the editor you cannot type in', withDemoOptions, async (args) => {
      process.exitCode = await demoCommand(args);
    })
    .command(
      'merge <files..>',
      'join the result files of the parts of a simulated run',
      (command) =>
        command
          .positional('files', {
            type: 'string',
            array: true,
            demandOption: true,
            describe: 'what simulate --shard wrote',
          })
          .option('output', { alias: 'o', type: 'string', demandOption: true, describe: 'the file for the whole' }),
      async ({ files, output }) => {
        process.exitCode = await mergeCommand(files, output, argv);
      },
    )
    .completion('completion', 'print a completion script for the shell')
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
  if (error instanceof UnavailableError) {
    process.stderr.write(`convoy: ${error.message}\n`);
    process.exitCode = EXIT.unavailable;
  } else if (error instanceof UsageError) {
    process.stderr.write(`convoy: ${error.message}\nconvoy --help lists the options.\n`);
    process.exitCode = EXIT.usage;
  } else {
    process.stderr.write(`convoy: internal error: ${error instanceof Error ? error.stack : error}\n`);
    process.exitCode = EXIT.internalError;
  }
}
