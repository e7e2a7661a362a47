/** Both ends of a connection, for threads of this process. */
import type { Socket } from '../../net/posix.ts';
import * as posix from '../../net/posix.ts';

export interface Connection {
  readonly client: Socket;
  readonly server: Socket;
  close(): void;
}

/** Messages go back and forth on it, as they do in the experiment: then no call has an ACK to send. */
export function openConnection(): Connection {
  const listener = posix.listen({ host: '127.0.0.1', port: 0 });
  const client = posix.connect({ host: '127.0.0.1', port: posix.portOf(listener) });
  const server = posix.accept(listener);
  return {
    client,
    server,
    close() {
      for (const socket of [client, server, listener]) posix.close(socket);
    },
  };
}
