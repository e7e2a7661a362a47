/** `convoy calibrate`: measures this machine for `convoy simulate`. */
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { EXIT } from './exit-codes.ts';
import { writablePath } from './options.ts';
import { calibrate } from './simulate/calibrate.ts';
import { profileSchema } from './simulate/profile.ts';

/** @returns the exit code */
export async function calibrateCommand(path: string): Promise<number> {
  const absolute = await writablePath('profile', path);
  const profile = await calibrate(basename(path, '.json'), (what) => process.stderr.write(`measuring ${what}\n`));
  await writeFile(absolute, `${JSON.stringify(profileSchema.parse(profile), null, 2)}\n`);
  process.stdout.write(`${absolute}: ${profile.summary}\n`);
  return EXIT.ok;
}
