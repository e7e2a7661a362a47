/**
 * `convoy calibrate`: this machine in numbers, for `convoy simulate`; with `--against` an interpreter in numbers, for `convoy bench` and
 * `convoy fidelity`. Both profiles are files that `--profile` names.
 */
import { basename } from 'node:path';
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { EXIT, UsageError } from '../exit-codes.ts';
import { writablePath } from '../options/files.ts';
import { refuseRepeated, wholeNumber } from '../options/values.ts';
import { describeProfile } from '../profiles/describe-profile.ts';
import { writeProfile } from '../profiles/write-profile.ts';
import { calibrateInterpreters } from '../reference/calibrate.ts';
import type { CalibrationSize } from '../reference/calibration-rounds.ts';
import { Calibration } from '../simulate/calibrate.ts';

const DEFAULT_MACHINE_ROUNDS = '4';
const DEFAULT_ROUNDS = '5';
const DEFAULT_MESSAGES = '300';

const OPTIONS = {
  profile: { type: 'string', demandOption: true, describe: 'the file for the profile' },
  against: {
    type: 'string',
    array: true,
    describe:
      'interpreters, commands or paths: python3,python2.7; the first Python 3 and the first Python 2 set parameters',
  },
  rounds: {
    type: 'string',
    describe: `how often all is measured; by default ${DEFAULT_MACHINE_ROUNDS}, with --against ${DEFAULT_ROUNDS}`,
  },
  messages: {
    type: 'string',
    describe: `with --against, messages of each round; by default ${DEFAULT_MESSAGES}`,
  },
} as const satisfies Record<string, Options>;

/** Adds the options to the command. */
export function withOptions(yargs: Argv): Argv<InferredOptionTypes<typeof OPTIONS>> {
  return yargs.options(OPTIONS).example([
    ['$0 calibrate --profile machine.json', 'this machine, for simulate; some 110 s'],
    ['$0 calibrate --against python3,python2.7 --profile python.json', 'interpreters, for bench and fidelity'],
  ]);
}

/** @returns the exit code */
export async function run(args: InferredOptionTypes<typeof OPTIONS>, argv: readonly string[]): Promise<number> {
  refuseRepeated(args, OPTIONS);
  const path = await writablePath('profile', args.profile);
  const readRounds = (fallback: string) => wholeNumber('rounds', args.rounds ?? fallback, 1, 1_000);
  if (args.against !== undefined) {
    const messages = wholeNumber('messages', args.messages ?? DEFAULT_MESSAGES, 2, 10_000_000);
    return await calibrateAgainst(args.against, { rounds: readRounds(DEFAULT_ROUNDS), messages }, path, argv);
  }
  if (args.messages !== undefined) throw new UsageError('--messages is of --against: leave it out');
  const rounds = readRounds(DEFAULT_MACHINE_ROUNDS);
  const calibration = new Calibration(basename(path, '.json'));
  for (let round = 1; round <= rounds; round++) {
    await calibration.sample((what) => process.stderr.write(`measuring round ${round} of ${rounds}: ${what}\n`));
  }
  const profile = await calibration.profile();
  await writeProfile(path, profile);
  process.stdout.write(`${path}: ${profile.summary}\n`);
  return EXIT.ok;
}

async function calibrateAgainst(
  names: readonly string[],
  size: CalibrationSize,
  path: string,
  argv: readonly string[],
): Promise<number> {
  const profile = await calibrateInterpreters(names, size, argv);
  if (profile === null) return EXIT.interrupted;
  await writeProfile(path, profile);
  process.stdout.write(`${describeProfile(profile).join('\n')}\nwritten to ${path}\n`);
  return EXIT.ok;
}
