/** The main task of the servers that have one thread, or one coroutine, for each connection. */
import type { Socket } from '../net/posix.ts';
import { SystemError } from '../net/system-error.ts';
import { accept, type ServerTask, sleep, startThread } from './calls.ts';

/** accept(2): errors of the one connection that was to be accepted, or of a passing shortage. */
const TRANSIENT = new Set(['ECONNABORTED', 'EPROTO', 'ENETDOWN', 'ENETUNREACH', 'EHOSTUNREACH', 'EHOSTDOWN']);
const SHORTAGE = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);
const SHORTAGE_PAUSE_NS = 10_000_000;

/** Starts a thread for each connection that comes. Ends when the listener is shut down. */
export function* acceptForEver(listener: Socket): ServerTask {
  for (;;) {
    try {
      yield* startThread(yield* accept(listener));
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      // EINVAL is how Linux says that the listener was shut down: that is how this thread is told to end.
      if (error.code === 'EINVAL') return;
      if (SHORTAGE.has(error.code)) yield* sleep(SHORTAGE_PAUSE_NS);
      else if (!TRANSIENT.has(error.code)) throw error;
    }
  }
}
