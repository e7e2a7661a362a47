/**
 * `convoy calibrate`: this machine in numbers, for `convoy simulate`; with `--against` an interpreter in numbers, for `convoy bench` and
 * `convoy fidelity`. Both profiles are files that `--profile` names.
 */
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { EXIT, UsageError } from './exit-codes.ts';
import { refuseRepeated, wholeNumber, writablePath } from './options.ts';
import { calibrateInterpreters, describeProfile } from './reference/calibrate.ts';
import { calibrate } from './simulate/calibrate.ts';
import { profileSchema } from './simulate/profile.ts';

const DEFAULT_ROUNDS = '5';

const OPTIONS = {
  profile: { type: 'string', demandOption: true, describe: 'the file for the profile' },
  against: {
    type: 'string',
    array: true,
    describe: 'interpreters, commands or paths: python3,python2.7; the first sets the work between two calls',
  },
  rounds: {
    type: 'string',
    describe: `with --against, how often each is measured; the least disturbed round counts; by default ${DEFAULT_ROUNDS}`,
  },
} as const satisfies Record<string, Options>;

/** Adds the options to the command. */
export function withCalibrateOptions<T>(yargs: Argv<T>): Argv<T & InferredOptionTypes<typeof OPTIONS>> {
  return yargs.options(OPTIONS).example([
    ['$0 calibrate --profile machine.json', 'this machine, for simulate; about 20 s'],
    ['$0 calibrate --against python3,python2.7 --profile python.json', 'interpreters, for bench and fidelity'],
  ]) as Argv<T & InferredOptionTypes<typeof OPTIONS>>;
}

/** @returns the exit code */
export async function calibrateCommand(
  args: InferredOptionTypes<typeof OPTIONS>,
  argv: readonly string[],
): Promise<number> {
  refuseRepeated(args, OPTIONS);
  const path = await writablePath('profile', args.profile);
  if (args.against !== undefined) {
    const rounds = wholeNumber('rounds', args.rounds ?? DEFAULT_ROUNDS, 1, 1_000);
    return await calibrateAgainst(args.against, rounds, path, argv);
  }
  if (args.rounds !== undefined) throw new UsageError('--rounds is of --against: a machine is measured once');
  const profile = await calibrate(basename(path, '.json'), (what) => process.stderr.write(`measuring ${what}\n`));
  await writeProfile(path, profileSchema.parse(profile));
  process.stdout.write(`${path}: ${profile.summary}\n`);
  return EXIT.ok;
}

async function calibrateAgainst(
  names: readonly string[],
  rounds: number,
  path: string,
  argv: readonly string[],
): Promise<number> {
  const profile = await calibrateInterpreters(names, rounds, argv);
  if (profile === null) return EXIT.interrupted;
  await writeProfile(path, profile);
  process.stdout.write(`${describeProfile(profile).join('\n')}\nwritten to ${path}\n`);
  return EXIT.ok;
}

async function writeProfile(path: string, profile: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(profile, null, 2)}\n`);
}
