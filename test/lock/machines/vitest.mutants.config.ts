/** For `npm run mutants`: the named tests of a policy, with a mutant of it where they import the policy. */
import { defineConfig } from 'vitest/config';

const { CONVOY_MUTANT_OF: policy, CONVOY_MUTANT: module } = process.env;

export default defineConfig({
  test: { maxWorkers: 1, testTimeout: 10_000 },
  plugins: [
    {
      name: 'mutant',
      enforce: 'pre',
      resolveId: (id) => (id.endsWith(`/lock/policies/${policy}.ts`) ? { id: module ?? '', external: true } : null),
    },
  ],
});
