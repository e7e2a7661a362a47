/** The process that reads a policy file: whatever the file does, it does it here. */
import { PolicyError } from '../../lock/policy-error.ts';
import { readPolicySpec } from '../../lock/policy-spec.ts';
import { answerParent } from '../../net/commands.ts';
import { policyCommands } from './policy-protocol.ts';

answerParent(policyCommands, {
  read: async ({ text, use }) => {
    try {
      return { kind: 'policy' as const, spec: await readPolicySpec(text, use) };
    } catch (error) {
      if (error instanceof PolicyError) return { kind: 'refused' as const, why: error.message };
      throw error;
    }
  },
});
