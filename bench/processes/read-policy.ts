/**
 * Reads a policy that the user named. A file is a program, and may do anything when it is loaded, such as not come back: it is loaded in a
 * process of its own, which has a time-out.
 */
import { PolicyError } from '../../lock/policy-error.ts';
import { isPolicyFile, type PolicySpec, type PolicyUse, readPolicySpec, TALK_USE } from '../../lock/policy-spec.ts';
import { UsageError } from '../exit-codes.ts';
import { ChildError } from './caller.ts';
import { Child } from './child.ts';
import { policyCommands } from './policy-protocol.ts';

const POLICY_PROCESS = new URL('./policy-process.js', import.meta.url);
/** For a file that has some lines to run, on a busy machine. */
const TIMEOUT_MS = 10_000;

/**
 * Reads.
 *
 * @param text as on the command line: `py32(interval=1ms)`, `./mine.js`
 * @param use how it is used unless the text says otherwise
 * @param timeoutMs how long a file may take
 * @throws UsageError which says what is wrong with it
 */
export async function readPolicy(text: string, use: PolicyUse = TALK_USE, timeoutMs = TIMEOUT_MS): Promise<PolicySpec> {
  if (isPolicyFile(text)) return readApart(text, use, timeoutMs);
  try {
    return await readPolicySpec(text, use);
  } catch (error) {
    throw error instanceof PolicyError ? new UsageError(error.message) : error;
  }
}

async function readApart(text: string, use: PolicyUse, timeoutMs: number): Promise<PolicySpec> {
  const child = new Child(`the process that loads «${text}»`, POLICY_PROCESS, policyCommands);
  try {
    const answer = await child.call('read', { text, use }, timeoutMs);
    if (answer.kind === 'policy') return answer.spec;
    throw new UsageError(answer.why);
  } catch (error) {
    if (!(error instanceof ChildError)) throw error;
    throw new UsageError(
      child.lost === undefined
        ? `policy «${text}» does not come back within ${timeoutMs / 1e3} s: it loops or waits, at the top of its file or in rules()`
        : `policy «${text}» cannot be loaded: ${error.message}`,
    );
  } finally {
    child.kill();
  }
}
