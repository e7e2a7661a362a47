/** The policies that come with Convoy. To add one, write its file and name it here. */
import type { Policy } from '../policy.ts';

/** Name → how to load it. Only the policy that runs is loaded. */
export const POLICIES: Readonly<Record<string, () => Promise<{ default: Policy }>>> = {
  py32: () => import('./py32.ts'),
  'free-threaded': () => import('./free-threaded.ts'),
};
