/** The policies that come with Convoy. To add one, write its file and name it here. */
import type { Policy } from '../policy.ts';

/** Name → how to load it. Only the policy that runs is loaded. */
export const POLICIES: Readonly<Record<string, () => Promise<{ default: Policy }>>> = {
  py27: () => import('./py27.ts'),
  py32: () => import('./py32.ts'),
  pypy16: () => import('./pypy16.ts'),
  priority: () => import('./priority.ts'),
  'free-threaded': () => import('./free-threaded.ts'),
};
