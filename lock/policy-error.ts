/** What is wrong with a policy that was asked for, for the user to read. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
}
