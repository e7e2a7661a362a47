/**
 * libzmq, called through koffi: blocking calls block the calling thread, and no JavaScript runs for a message that libzmq passes
 * on by itself.
 *
 * The library is the one inside the zeromq package: its addon is linked statically with libzmq and exports the `zmq_*` symbols. So
 * the native server and zeromq.js run the same code, and no compiler is needed. It is loaded by the first call, so that a process
 * without ZeroMQ never looks for it.
 *
 * Contexts and sockets are their addresses, as numbers. A socket belongs to one thread; a context to all, see
 * {@link shutdownContext}. Every function throws {@link SystemError} when the call fails, and calls again after EINTR.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import koffi, { type LibraryHandle } from 'koffi';
import type { Endpoint } from './posix.ts';
import { SystemError } from './system-error.ts';

/** A context: libzmq's own thread for the I/O, and the sockets it serves. */
export type ZmqContext = number;
/** A socket of a context. */
export type ZmqSocket = number;

/** zmq.h. */
const SOCKET_TYPE = { pair: 0, req: 3, router: 6 } as const;
const ZMQ_LAST_ENDPOINT = 32;
const ZMQ_ZAP_DOMAIN = 55;
const ZMQ_DONTWAIT = 1;
const EINTR = koffi.os.errno['EINTR'];
const EAGAIN = koffi.os.errno['EAGAIN'];

/** Options of a socket, `ZMQ_*` of zmq.h, each an `int` or an `int64_t`. Times in milliseconds, -1: for ever. */
const OPTION = {
  /** How long messages nobody took are kept after the socket's end. */
  lingerMs: { id: 17, bytes: 4 },
  /** Pause before a lost connection is made again; -1: it is not. */
  reconnectMs: { id: 18, bytes: 4 },
  /** A peer that announces a larger frame is disconnected, before memory is allocated for it. */
  maxMessageBytes: { id: 22, bytes: 8 },
  receiveTimeoutMs: { id: 27, bytes: 4 },
  sendTimeoutMs: { id: 28, bytes: 4 },
  /** For the peer's half of the greeting and handshake. */
  handshakeMs: { id: 66, bytes: 4 },
  /** How often a peer is asked for a sign of life. */
  heartbeatMs: { id: 75, bytes: 4 },
  /** For the next whole frame of a peer that was asked. */
  heartbeatTimeoutMs: { id: 77, bytes: 4 },
} as const;

/** What can happen to a connection, `ZMQ_EVENT_*`. */
export const ZMQ_EVENT = {
  closed: 0x80,
  disconnected: 0x200,
  handshakeFailed: 0x800 | 0x2000 | 0x4000,
  handshakeSucceeded: 0x1000,
} as const;

/** Result of {@link recv} and {@link send} when the socket's time-out passed first. */
export const TIMED_OUT = -1;

function bind(lib: LibraryHandle) {
  return {
    version: lib.func('void zmq_version(_Out_ int *major, _Out_ int *minor, _Out_ int *patch)'),
    ctxNew: lib.func('uintptr_t zmq_ctx_new()'),
    ctxShutdown: lib.func('int zmq_ctx_shutdown(uintptr_t context)'),
    ctxTerm: lib.func('int zmq_ctx_term(uintptr_t context)'),
    socket: lib.func('uintptr_t zmq_socket(uintptr_t context, int type)'),
    close: lib.func('int zmq_close(uintptr_t socket)'),
    setsockopt: lib.func('int zmq_setsockopt(uintptr_t socket, int option, const void *value, size_t length)'),
    getsockopt: lib.func('int zmq_getsockopt(uintptr_t socket, int option, void *value, _Inout_ size_t *length)'),
    bind: lib.func('int zmq_bind(uintptr_t socket, const char *endpoint)'),
    connect: lib.func('int zmq_connect(uintptr_t socket, const char *endpoint)'),
    socketMonitor: lib.func('int zmq_socket_monitor(uintptr_t socket, const char *endpoint, int events)'),
    send: lib.func('int zmq_send(uintptr_t socket, const void *from, size_t length, int flags)'),
    recv: lib.func('int zmq_recv(uintptr_t socket, void *into, size_t length, int flags)'),
    proxy: lib.func('int zmq_proxy(uintptr_t frontend, uintptr_t backend, const void *capture)'),
  };
}

let loaded: ReturnType<typeof bind> | undefined;

function zmq(): ReturnType<typeof bind> {
  loaded ??= bind(loadFirst([...zeromqBuilds(), 'libzmq.so.5']));
  return loaded;
}

/** A key of the zeromq package's manifest: JSON, of which this much matters. */
interface Build {
  readonly os: string;
  readonly arch: string;
  readonly abi: number;
}

/** The builds of the zeromq package for this machine, in the order in which zeromq.js itself tries them: newest ABI first. */
function zeromqBuilds(): string[] {
  try {
    const folder = join(dirname(createRequire(import.meta.url).resolve('zeromq/package.json')), 'build');
    // Without a schema, since every thread with a socket of ZeroMQ is here: what is no build of this machine falls through the filter.
    const manifest: Record<string, string> = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    return Object.entries(manifest)
      .map(([key, path]) => ({ ...(JSON.parse(key) as Build), path: join(folder, path) }))
      .filter(({ os, arch }) => os === process.platform && arch === process.arch)
      .sort((a, b) => b.abi - a.abi)
      .map(({ path }) => path);
  } catch {
    // A package that is not installed, or not built like that: the system's libzmq is left.
    return [];
  }
}

/**
 * Loads the first library that can be loaded. A build can be there and not load: for a newer C library than the machine has.
 *
 * @param candidates paths, or names for the system's loader
 * @throws Error that says of each candidate why not, and what to install
 */
export function loadFirst(candidates: readonly string[]): LibraryHandle {
  const reasons: string[] = [];
  for (const candidate of candidates) {
    try {
      return koffi.load(candidate);
    } catch (error) {
      reasons.push(`${candidate}: ${error instanceof Error ? error.message : error}`);
    }
  }
  throw new Error(
    `no libzmq: install the system's (Debian: libzmq5), or the zeromq package with its builds; tried\n  ${reasons.join('\n  ')}`,
  );
}

/** Makes the call again while a signal interrupts it. */
function retried(name: string, call: () => number): number {
  for (;;) {
    const result = call();
    if (result >= 0) return result;
    const errno = koffi.errno();
    if (errno !== EINTR) throw new SystemError(name, errno);
  }
}

/** `4.3.5`. */
export function libzmqVersion(): string {
  const [major, minor, patch] = [[0], [0], [0]];
  zmq().version(major, minor, patch);
  return [major, minor, patch].join('.');
}

export function openContext(): ZmqContext {
  const context: number = zmq().ctxNew();
  if (context === 0) throw new SystemError('zmq_ctx_new', koffi.errno());
  return context;
}

/**
 * Makes every call on the context's sockets fail with ETERM, also those other threads are blocked in. The one function that may be
 * called from any thread, until {@link closeContext} is.
 */
export function shutdownContext(context: ZmqContext): void {
  retried('zmq_ctx_shutdown', () => zmq().ctxShutdown(context));
}

/**
 * Closes a context and its sockets. Called by the thread that used them.
 *
 * @param sockets all of them: the end of a context waits for ever for one that is left open
 */
export function closeContext(context: ZmqContext, sockets: readonly ZmqSocket[]): void {
  for (const socket of sockets) zmq().close(socket);
  retried('zmq_ctx_term', () => zmq().ctxTerm(context));
}

/** A socket that keeps nothing back when it is closed (linger 0). */
export function openSocket(context: ZmqContext, type: keyof typeof SOCKET_TYPE): ZmqSocket {
  const socket: number = zmq().socket(context, SOCKET_TYPE[type]);
  if (socket === 0) throw new SystemError('zmq_socket', koffi.errno());
  setOption(socket, 'lingerMs', 0);
  return socket;
}

/** Sets an option; most are read when the socket binds or connects, and must be set before. */
export function setOption(socket: ZmqSocket, name: keyof typeof OPTION, value: number): void {
  const { id, bytes } = OPTION[name];
  const encoded = Buffer.alloc(bytes);
  if (bytes === 8) encoded.writeBigInt64LE(BigInt(value));
  else encoded.writeInt32LE(value);
  retried('zmq_setsockopt', () => zmq().setsockopt(socket, id, encoded, bytes));
}

/** Sets the domain in which an authenticator, if there is one, is asked about peers. Peers that cannot be asked about are refused. */
export function setZapDomain(socket: ZmqSocket, domain: string): void {
  const name = Buffer.from(domain);
  retried('zmq_setsockopt', () => zmq().setsockopt(socket, ZMQ_ZAP_DOMAIN, name, name.length));
}

/** How libzmq and zeromq.js write an endpoint. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return `tcp://${host}:${port}`;
}

/** The port in what {@link formatEndpoint} writes, and libzmq reads back after binding to port 0. */
export function portOfEndpoint(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(':') + 1));
}

/**
 * Accepts connections from now on, in libzmq's own thread.
 *
 * @param at port 0 for any free one
 * @returns the port
 */
export function bindSocket(socket: ZmqSocket, at: Endpoint): number {
  retried('zmq_bind', () => zmq().bind(socket, formatEndpoint(at)));
  const endpoint = Buffer.alloc(256);
  const length = [endpoint.length];
  retried('zmq_getsockopt', () => zmq().getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, length));
  // The length counts the terminating zero.
  return portOfEndpoint(endpoint.toString('latin1', 0, (length[0] ?? 1) - 1));
}

/** Starts connecting; libzmq's own thread goes on with it. What becomes of it: {@link openMonitor}. */
export function connectSocket(socket: ZmqSocket, to: Endpoint): void {
  retried('zmq_connect', () => zmq().connect(socket, formatEndpoint(to)));
}

/**
 * A socket on which {@link recvEvent} hears of another one's connection: libzmq tells of a lost one nowhere else. One a context.
 *
 * @param events of {@link ZMQ_EVENT}, or'ed
 */
export function openMonitor(context: ZmqContext, socket: ZmqSocket, events: number): ZmqSocket {
  const endpoint = 'inproc://monitor';
  retried('zmq_socket_monitor', () => zmq().socketMonitor(socket, endpoint, events));
  const monitor = openSocket(context, 'pair');
  retried('zmq_connect', () => zmq().connect(monitor, endpoint));
  return monitor;
}

/**
 * The next event of a monitor: 16 bits of event and 32 of value, then a frame with the endpoint.
 *
 * @param wait whether to wait for one, as long as the monitor's receive time-out
 * @returns of {@link ZMQ_EVENT}, or {@link TIMED_OUT}
 */
export function recvEvent(monitor: ZmqSocket, wait: boolean): number {
  const event = Buffer.alloc(6);
  if (recv(monitor, event, wait ? 0 : ZMQ_DONTWAIT) === TIMED_OUT) return TIMED_OUT;
  recv(monitor, Buffer.alloc(0), ZMQ_DONTWAIT);
  return event.readUInt16LE(0);
}

/**
 * Blocks until libzmq has taken the message.
 *
 * @returns its length in bytes, or {@link TIMED_OUT}
 */
export function send(socket: ZmqSocket, from: Uint8Array): number {
  const { send } = zmq();
  for (;;) {
    const sent: number = send(socket, from, from.length, 0);
    if (sent >= 0) return sent;
    const errno = koffi.errno();
    if (errno === EAGAIN) return TIMED_OUT;
    if (errno !== EINTR) throw new SystemError('zmq_send', errno);
  }
}

/**
 * Blocks until a frame has come.
 *
 * @param into what does not fit is lost
 * @returns the frame's length in bytes, which may be more than `into` has, or {@link TIMED_OUT}
 */
export function recv(socket: ZmqSocket, into: Uint8Array, flags = 0): number {
  const { recv } = zmq();
  for (;;) {
    const got: number = recv(socket, into, into.length, flags);
    if (got >= 0) return got;
    const errno = koffi.errno();
    if (errno === EAGAIN) return TIMED_OUT;
    if (errno !== EINTR) throw new SystemError('zmq_recv', errno);
  }
}

/**
 * Passes every message on one socket to the other and back, inside libzmq. With a ROUTER as both, each message goes back to the peer
 * it came from. Returns when the context is shut down.
 */
export function proxy(frontend: ZmqSocket, backend: ZmqSocket): void {
  try {
    retried('zmq_proxy', () => zmq().proxy(frontend, backend, null));
  } catch (error) {
    if (!(error instanceof SystemError && error.code === 'ETERM')) throw error;
  }
}
