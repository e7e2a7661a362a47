/** From the arguments of the command to its exit code. */
import yargs, { type Argv } from 'yargs';
import packageJson from '../package.json' with { type: 'json' };
import { EXIT, UnavailableError, UsageError } from './exit-codes.ts';

/** What a file of `commands/` has. It is loaded when it is called: to load all takes longer than many of them run. */
interface Command<Args> {
  withOptions(yargs: Argv, argv: readonly string[]): Argv<Args> | Promise<Argv<Args>>;
  /** @returns the exit code */
  run(args: Args, argv: readonly string[]): Promise<number>;
}

/**
 * Does what a command line says, whatever that is: nothing is thrown.
 *
 * @param argv without the program's own name
 * @returns the exit code
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.ok;
  const command = <Args>(load: () => Promise<Command<Args>>) =>
    [
      async (yargs: Argv) => (await load()).withOptions(yargs, argv),
      async (args: Args) => {
        exitCode = await (await load()).run(args, argv);
      },
    ] as const;
  try {
    await yargs([...argv])
      .scriptName('convoy')
      .usage('$0 [command]\n\nA laboratory for global-lock scheduling.')
      .command(
        ['bench', '$0'],
        'measure echo servers under lock policies',
        ...command(() => import('./commands/bench.ts')),
      )
      .command('show <result>', 'show a result file again', ...command(() => import('./commands/show.ts')))
      .command(
        'report <result>',
        'write a result file as a page with charts',
        ...command(() => import('./commands/report.ts')),
      )
      .command(
        'compare <a> <b>',
        'what became faster or slower from one result file to another',
        ...command(() => import('./commands/compare.ts')),
      )
      .command(
        'trace <result>',
        'show a slow message of a recorded result, moment by moment',
        ...command(() => import('./commands/trace.ts')),
      )
      .command(
        'serve',
        'run one server until told to end; or be an agent for bench --connect',
        ...command(() => import('./commands/serve.ts')),
      )
      .command(
        'client',
        'make round trips to a server that runs somewhere',
        ...command(() => import('./commands/client.ts')),
      )
      .command('schema', 'print the JSON Schema of result files', ...command(() => import('./commands/schema.ts')))
      .command(
        'check [policies..]',
        'prove policies in every interleaving',
        ...command(() => import('./commands/check.ts')),
      )
      .command(
        'simulate',
        'the same in simulated time, on any number of CPUs',
        ...command(() => import('./commands/simulate.ts')),
      )
      .command(
        'fidelity',
        'put policies beside the interpreters they emulate',
        ...command(() => import('./commands/fidelity.ts')),
      )
      .command(
        'calibrate',
        'measure this machine for simulate, or an interpreter for bench; wants the machine to itself',
        ...command(() => import('./commands/calibrate.ts')),
      )
      .command('demo', 'a page with the editor you cannot type in', ...command(() => import('./commands/demo.ts')))
      .command(
        'merge <files..>',
        'join the result files of the parts of a simulated run',
        ...command(() => import('./commands/merge.ts')),
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
    return exitCode;
  } catch (error) {
    return explained(error);
  }
}

/** Says on stderr what ended the program. @returns the exit code */
function explained(error: unknown): number {
  if (error instanceof UnavailableError) {
    process.stderr.write(`convoy: ${error.message}\n`);
    return EXIT.unavailable;
  }
  if (error instanceof UsageError) {
    process.stderr.write(`convoy: ${error.message}\nconvoy --help lists the options.\n`);
    return EXIT.usage;
  }
  process.stderr.write(`convoy: internal error: ${error instanceof Error ? error.stack : error}\n`);
  return EXIT.internalError;
}
