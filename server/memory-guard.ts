/**
 * A bound for the memory of a server on libzmq. libzmq bounds a frame and how many messages wait, but a message may have any number of
 * frames, and those of one that never ends count as nothing. It has no option against that, so the server's process looks from time to
 * time at its own memory, and when that is too much and still grows, ends the connection that makes it hold the most: what has come
 * from it and has not gone back. Of an echo server's well-behaved client that is one message.
 *
 * The sockets are libzmq's, which may close one, and accept another of its number, between the look and the shutdown: a wrong connection
 * would end then, which its client notices, and nothing else.
 */
import { readdirSync } from 'node:fs';
import { portOf, type Socket, shutdownToReset, unansweredBytes } from '../net/posix.ts';
import { SystemError } from '../net/system-error.ts';

/** The engine, its heaps, and messages of an ordinary length that wait to go back. */
const BASE_BYTES = 256 * 2 ** 20;
/** Messages of the greatest length, beside. */
const GREATEST_MESSAGES = 8;
const LOOK_EVERY_MS = 200;

/**
 * Watches until it is told to stop.
 *
 * @param port the server's
 * @param note is told why a connection was ended
 * @returns stops
 */
export function guardMemory(port: number, maxMessageBytes: number, note: (error: string) => void): () => void {
  const mostBytes = BASE_BYTES + GREATEST_MESSAGES * maxMessageBytes;
  let beforeBytes = 0;
  const look = setInterval(() => {
    const bytes = process.memoryUsage.rss();
    // Memory that is freed need not go back to the system: what no longer grows has been dealt with.
    const grows = bytes > beforeBytes;
    beforeBytes = bytes;
    const greediest = bytes > mostBytes && grows ? greediestOf(port) : null;
    if (greediest === null) return;
    shutdownToReset(greediest.socket);
    note(`the client made the server hold ${greediest.bytes} bytes for it, and all together more than ${mostBytes}`);
  }, LOOK_EVERY_MS);
  look.unref();
  return () => clearInterval(look);
}

function greediestOf(port: number): { socket: Socket; bytes: number } | null {
  let greediest: { socket: Socket; bytes: number } | null = null;
  for (const socket of readdirSync('/proc/self/fd').map(Number)) {
    try {
      if (portOf(socket) !== port) continue;
      const bytes = unansweredBytes(socket);
      if (bytes > (greediest?.bytes ?? 0)) greediest = { socket, bytes };
    } catch (error) {
      // No socket, or closed since.
      if (!(error instanceof SystemError)) throw error;
    }
  }
  return greediest;
}
