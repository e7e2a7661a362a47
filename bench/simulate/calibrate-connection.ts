/** Both ends of a connection, for threads of this process. */
import type { Socket } from '../../net/posix.ts';
import * as posix from '../../net/posix.ts';

/** Lends a connection on which messages go back and forth, as they do in the experiment: then no call has an ACK to send. */
export async function withConnection<Made>(
  use: (client: Socket, server: Socket) => Made | Promise<Made>,
): Promise<Made> {
  const listener = posix.listen({ host: '127.0.0.1', port: 0 });
  const client = posix.connect({ host: '127.0.0.1', port: posix.portOf(listener) });
  const server = posix.accept(listener);
  try {
    return await use(client, server);
  } finally {
    for (const socket of [client, server, listener]) posix.close(socket);
  }
}
