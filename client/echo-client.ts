/** What a client of an echo server is: one connection, one message under way at a time. One file for each wire format. */
import type { Endpoint } from '../net/posix.ts';

/** A connection that has been made. */
export interface EchoConnection {
  /** Sends the payload and receives its echo; blocks. This, and nothing else, is the round trip that is timed. */
  exchange(): void;
  /** The bytes that the next {@link exchange} sends; the caller may change them. */
  readonly payload: Uint8Array;
  /** The bytes that the last one brought back. */
  echo(): Uint8Array;
  /** Ends an exchange another thread is blocked in: what that thread does with it, see {@link EchoClient.interrupt}. */
  readonly handle: number;
  /** Says good-bye and frees what the connection holds. */
  close(): void;
}

export interface EchoClient {
  /** Blocks until connected. */
  connect(to: Endpoint, payloadBytes: number): EchoConnection;
  /**
   * Makes a blocked exchange fail. Called from another thread than the connection's, while it is not closed.
   *
   * @param handle the connection's {@link EchoConnection.handle}
   */
  interrupt(handle: number): void;
}
