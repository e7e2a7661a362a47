/** How the program ends. Documented in README.md; a test holds the two together. */
export const EXIT = {
  ok: 0,
  internalError: 1,
  thresholdFailed: 2,
  inconclusive: 3,
  /** A cell could not be measured; the others were, and are reported. */
  cellFailed: 4,
  usage: 64,
  /** What --connect names cannot be reached, or refuses: nothing was measured, and it may be another time. */
  unavailable: 69,
  /** Measured and shown, but a file could not be written. */
  notWritten: 74,
  /** Ctrl-C; the finished cells are reported. */
  interrupted: 130,
} as const;

/** Input that is refused. Its message is for the user; there is nothing to debug. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Something elsewhere that is not there, or does not want us. Its message is for the user; there is nothing to debug. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}
