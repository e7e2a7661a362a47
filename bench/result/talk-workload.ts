import type { Workload } from './result.ts';

/** The talk's messages on this machine, for whoever measures or simulates by a fixed workload: 8 KiB, a pause of 1 ms, one CPU thread. */
export const TALK_WORKLOAD = {
  payloadBytes: 8_192,
  delayNs: 1e6,
  spinners: 1,
  spinnerKind: 'fib',
  maxMessageBytes: 2 ** 20,
  peerTimeoutNs: null,
  host: '127.0.0.1',
  port: 0,
} as const satisfies Partial<Workload>;
