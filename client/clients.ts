/** The clients there are, one for each wire format. To add one, write its file and name it here. */
import type { EchoClient } from './echo-client.ts';

/** Wire format → client. */
export const CLIENTS: Readonly<Record<string, () => Promise<{ default: EchoClient }>>> = {
  framed: () => import('./framed.ts'),
  multiprocessing: () => import('./multiprocessing.ts'),
  zmtp: () => import('./zeromq.ts'),
};
