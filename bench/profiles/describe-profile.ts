/** A profile in words. */
import type { InterpreterProfile, Measured } from './interpreter-profile.ts';

/** What was found, a line for each that was measured. */
export function describeProfile({ parameters, calibration }: InterpreterProfile): string[] {
  const us = (ns: number | null) => (ns === null ? 'none' : `${(ns / 1e3).toFixed(2)} us`);
  const line = (name: string, { workPerCallNs, callNs, timeoutOvershootNs }: Measured) =>
    `${name}: work between two calls ${us(workPerCallNs)}, a call that does not block ${us(callNs)}, ` +
    `time-outs late by ${us(timeoutOvershootNs)}`;
  const { interpreterCostNs, py27 } = parameters;
  const measured =
    calibration === null
      ? []
      : [
          ...calibration.interpreters.map(
            ({ label, tickNs, ticksPerLeaf, ticksPerCall, ...each }) =>
              line(label, each) +
              (tickNs === null
                ? ''
                : `, a tick ${tickNs.toFixed(1)} ns, ${ticksPerLeaf ?? 0} of them in a leaf of ours, ${ticksPerCall ?? 0} between two calls`),
          ),
          line('Convoy, interpreter cost 0', calibration.ours),
          ...calibration.fits.map(
            ({ policy, to, server, heldNs, tried }) =>
              `${policy} on ${server}: ${to} holds its lock after a wait for ${us(heldNs)}, ours ` +
              tried.map((each) => `${us(each.heldNs)} at ${each.costNs} ns`).join(', '),
          ),
        ];
  return [
    ...measured,
    `interpreter cost ${us(interpreterCostNs)}`,
    ...(py27 === null
      ? []
      : [
          `py27: ${us(py27.interpreterCostNs)} that count for ${py27.ticksPerCall} ticks, a leaf of a CPU thread for ${py27.ticksPerLeaf}`,
        ]),
  ];
}
