/** What an echo server is. */
import type { ZmqSocket } from '../net/libzmq.ts';
import type { Endpoint, Socket } from '../net/posix.ts';
import type { AsynchronousTask, MessageSocket, ServerTask } from './calls.ts';
import type { Peer } from './peer.ts';

/** Limits a server keeps to. */
export interface ServerLimits {
  /** The largest payload it accepts, in bytes. Checked before memory is allocated for it. */
  readonly maxMessageBytes: number;
  /** How long it waits for a peer that is not between two messages (`peer.ts`); may be `Infinity`. */
  readonly peerTimeoutNs: number;
}

/** What every server says about itself. */
interface ServerInfo {
  readonly name: string;
  readonly summary: string;
  /** How often it gives up the lock for a message that comes in one piece and whose echo leaves in one. */
  readonly transitionsPerMessage: number;
}

/** A server on sockets of the kernel, whose process listens. */
interface SocketServer extends ServerInfo {
  /** The wire format its clients speak. */
  readonly transport: 'framed' | 'multiprocessing';
  /** The thread that accepts connections. It returns when the listener is shut down. */
  main(listener: Socket, limits: ServerLimits): ServerTask;
}

/** A thread for each connection; the server's process owns the sockets. */
interface ThreadServer extends SocketServer {
  readonly concurrency: 'threads';
  /** The thread of one connection; main starts it. */
  connection(peer: Peer, limits: ServerLimits): ServerTask;
}

/** Main serves all connections. Their sockets are its own: it closes each when it ends, and all when it returns. */
interface CoroutineServer extends SocketServer {
  readonly concurrency: 'coroutines';
}

/** A server on libzmq, which binds, accepts and serves all clients in one thread, the one that opened it. */
export type ZeromqServer = ZeromqServerBase &
  (
    | { readonly waits: 'blocking'; echo(router: ZmqSocket): ServerTask }
    | { readonly waits: 'asynchronously'; echo(router: MessageSocket): AsynchronousTask }
  );

interface ZeromqServerBase extends ServerInfo {
  readonly transport: 'zmtp';
  /** Binds. Called in the server's thread, without the lock. */
  open(at: Endpoint, limits: ServerLimits): Promise<OpenServer>;
  /**
   * Ends the call its thread is blocked in. Called in another thread, before {@link OpenServer.close}.
   *
   * @param handle of an open server of kind `blocking`
   */
  interrupt?(handle: number): void;
}

/** A {@link ZeromqServer} that has been opened. */
export type OpenServer = {
  readonly port: number;
  /** Frees everything; a task that waits asynchronously returns. Called in the server's thread. */
  close(): void;
} & (
  | { readonly kind: 'blocking'; readonly task: ServerTask; readonly handle: number }
  | { readonly kind: 'asynchronous'; readonly task: AsynchronousTask }
);

/** An echo server as its file exports it. */
export type EchoServer = ThreadServer | CoroutineServer | ZeromqServer;
