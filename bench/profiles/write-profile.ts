import { writeWhole } from '../result/result-file.ts';
import type { Profile } from '../simulate/profile.ts';
import type { InterpreterProfile } from './interpreter-profile.ts';

/** Writes a profile to the file that `--profile` names. */
export async function writeProfile(path: string, profile: Profile | InterpreterProfile): Promise<void> {
  await writeWhole(path, `${JSON.stringify(profile, null, 2)}\n`);
}
