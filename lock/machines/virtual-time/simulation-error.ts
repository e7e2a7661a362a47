/** A simulation that cannot go on; the message names the policy and says how many steps it had made. */
export class SimulationError extends Error {
  override readonly name = 'SimulationError';
}
