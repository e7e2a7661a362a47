/** Linux's scheduler, which does not tell what it is set to without privileges: its defaults, by its version. */
import type { Profile } from './profile.ts';

/** The first with EEVDF. */
const EEVDF_SINCE = [6, 6] as const;

/**
 * @param release of the kernel, as `os.release()` says it
 * @param cpus of the machine: on more of them slices are longer, up to eight (`sched_tunable_scaling`)
 */
export function schedulerOf(release: string, cpus: number): Pick<Profile['scheduler'], 'sliceNs' | 'fairness'> {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  if (major < EEVDF_SINCE[0] || (major === EEVDF_SINCE[0] && minor < EEVDF_SINCE[1])) {
    return {
      sliceNs: 3_000_000,
      fairness: { kind: 'cfs', wakeupGranularityNs: 1_000_000, sleeperCreditNs: 3_000_000 },
    };
  }
  // `sysctl_sched_base_slice`
  return { sliceNs: 700_000 * (1 + Math.floor(Math.log2(Math.min(cpus, 8)))), fairness: { kind: 'eevdf' } };
}
