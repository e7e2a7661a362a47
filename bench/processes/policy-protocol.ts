/** What the process that reads a policy file can be asked. */
import { z } from 'zod';
import { policySpecSchema } from '../../lock/policy-spec.ts';

export const policyCommands = {
  /** Loads it and checks all of it: `readPolicySpec`. */
  read: {
    request: z.strictObject({
      text: z.string(),
      use: policySpecSchema.pick({ spinnerPriority: true, keepLockOn: true }),
    }),
    answer: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('policy'), spec: policySpecSchema }),
      /** For the user to read. */
      z.strictObject({ kind: z.literal('refused'), why: z.string() }),
    ]),
  },
} as const;
