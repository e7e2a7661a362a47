/** `convoy schema`: what a result file is made of, for programs that read one. */
import { z } from 'zod';
import { EXIT } from '../exit-codes.ts';
import { RESULT_VERSION, resultSchema } from '../result/result.ts';

/** @returns the exit code */
export function schemaCommand(): number {
  const schema = z.toJSONSchema(resultSchema);
  const titled = { ...schema, title: `Result of Convoy, version ${RESULT_VERSION}` };
  process.stdout.write(`${JSON.stringify(titled, null, 2)}\n`);
  return EXIT.ok;
}
