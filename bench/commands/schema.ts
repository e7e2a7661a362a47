/** `convoy schema`: what a result file is made of, for programs that read one. */
import type { Argv } from 'yargs';
import { z } from 'zod';
import { EXIT } from '../exit-codes.ts';
import { RESULT_VERSION, resultSchema } from '../result/result.ts';

/** It has no options. */
export const withOptions = (yargs: Argv): Argv => yargs;

/** @returns the exit code */
export async function run(): Promise<number> {
  const schema = z.toJSONSchema(resultSchema);
  const titled = { ...schema, title: `Result of Convoy, version ${RESULT_VERSION}` };
  process.stdout.write(`${JSON.stringify(titled, null, 2)}\n`);
  return EXIT.ok;
}
