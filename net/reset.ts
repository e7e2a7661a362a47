/**
 * How the system says that the other end of a connection is gone, where it had not read all that was sent to it, or is sent more: which of
 * the two depends on who was quicker.
 */
export const RESET_CODES: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE']);
