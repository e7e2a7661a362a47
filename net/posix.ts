/**
 * POSIX sockets, called through koffi: blocking calls block the calling thread in the kernel, as they do in an interpreter
 * written in C. Linux only: the constants and the byte layouts are Linux's.
 *
 * A socket is its file descriptor. Every function throws {@link SystemError} when the call fails, and calls again after EINTR.
 */
import koffi from 'koffi';
import type { PollSet } from './poll-set.ts';
import { SystemError } from './system-error.ts';

/** A file descriptor. */
export type Socket = number;

/** An IPv4 address and a port. */
export interface Endpoint {
  /** Dotted, `127.0.0.1`. */
  readonly host: string;
  /** 0 asks the system for a free one. */
  readonly port: number;
}

const AF_INET = 2;
const NO_SOCKET = -1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_LINGER = 13;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_INFO = 11;
/** Of `struct tcp_info`, linux/tcp.h: two counters of 64 bits. */
const TCP_INFO_BYTES_ACKED = 120;
const TCP_INFO_BYTES_RECEIVED = 128;
const SHUT_RDWR = 2;
/** A peer that is gone is an error to report, not a signal that ends the process. */
const MSG_NOSIGNAL = 0x4000;
const MSG_DONTWAIT = 0x40;
const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const SOCKADDR_IN_BYTES = 16;

const EINTR = koffi.os.errno['EINTR'];
const EAGAIN = koffi.os.errno['EAGAIN'];

/** What a call returns that does not block and would have had to, or whose time is over ({@link limitWaits}). */
export const NOTHING = -1;

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

const libc = koffi.load(null);
// ssize_t is declared int64_t: koffi returns it as a number.
const cSocket = libc.func('int socket(int domain, int type, int protocol)');
const cBind = libc.func('int bind(int fd, const void *address, unsigned int length)');
const cListen = libc.func('int listen(int fd, int backlog)');
const cAccept = libc.func('int accept4(int fd, void *address, void *length, int flags)');
const cConnect = libc.func('int connect(int fd, const void *address, unsigned int length)');
const cGetsockname = libc.func('int getsockname(int fd, _Out_ void *address, _Inout_ unsigned int *length)');
const cSetsockopt = libc.func('int setsockopt(int fd, int level, int option, const void *value, unsigned int length)');
const cGetsockopt = libc.func(
  'int getsockopt(int fd, int level, int option, void *value, _Inout_ unsigned int *length)',
);
const cRecv = libc.func('int64_t recv(int fd, void *into, size_t length, int flags)');
const cSend = libc.func('int64_t send(int fd, const void *from, size_t length, int flags)');
const cPoll = libc.func('int poll(void *pollfds, unsigned long count, int timeoutMs)');
const cFcntl = libc.func('int fcntl(int fd, int command, int flags)');
const cShutdown = libc.func('int shutdown(int fd, int how)');
const cPrctl = libc.func('int prctl(int option, unsigned long value)');
const cClose = libc.func('int close(int fd)');

/** Makes the call again while a signal interrupts it. */
function retried(name: string, call: () => number): number {
  for (;;) {
    const result = call();
    if (result >= 0) return result;
    const errno = koffi.errno();
    if (errno !== EINTR) throw new SystemError(name, errno);
  }
}

/** `struct sockaddr_in`: family (host order), port and address (network order), 8 bytes of zero. */
function encodeEndpoint({ host, port }: Endpoint): Buffer {
  const bytes = Buffer.alloc(SOCKADDR_IN_BYTES);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(host.split('.').map(Number), 4);
  return bytes;
}

function setOption(fd: Socket, level: number, option: number, ...value: number[]): void {
  const ints = Int32Array.from(value);
  retried('setsockopt', () => cSetsockopt(fd, level, option, ints, ints.byteLength));
}

/**
 * A listening TCP socket.
 *
 * @param at where; port 0 for any free one
 * @param backlog connections the kernel keeps waiting for {@link accept}
 */
export function listen(at: Endpoint, backlog = 1024): Socket {
  const fd = retried('socket', () => cSocket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  try {
    setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    retried('bind', () => cBind(fd, encodeEndpoint(at), SOCKADDR_IN_BYTES));
    retried('listen', () => cListen(fd, backlog));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** The port a socket is bound to. */
export function portOf(fd: Socket): number {
  const bytes = Buffer.alloc(SOCKADDR_IN_BYTES);
  retried('getsockname', () => cGetsockname(fd, bytes, [SOCKADDR_IN_BYTES]));
  return bytes.readUInt16BE(2);
}

/** How many bytes have come on a connection, less those that its peer has taken of what was sent; 0 of a listener. */
export function unansweredBytes(fd: Socket): number {
  const info = Buffer.alloc(TCP_INFO_BYTES_RECEIVED + 8);
  retried('getsockopt', () => cGetsockopt(fd, IPPROTO_TCP, TCP_INFO, info, [info.length]));
  return Number(info.readBigUInt64LE(TCP_INFO_BYTES_RECEIVED) - info.readBigUInt64LE(TCP_INFO_BYTES_ACKED));
}

/** Blocks until a connection has come. It does not wait to fill segments (TCP_NODELAY). */
export function accept(listener: Socket): Socket {
  for (;;) {
    const fd: number = cAccept(listener, null, null, SOCK_CLOEXEC);
    if (fd >= 0) {
      setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      return fd;
    }
    const errno = koffi.errno();
    if (errno === EAGAIN) return NOTHING;
    if (errno !== EINTR) throw new SystemError('accept', errno);
  }
}

/**
 * Lets {@link recv} and {@link send} on a connection return {@link NOTHING} when nothing has happened for so long, or, of a send, what the
 * kernel has taken by then.
 *
 * @param waitNs at least 1 µs, and the kernel rounds up to its ticks of some milliseconds; `Infinity`: they wait without end
 */
export function limitWaits(fd: Socket, waitNs: number): void {
  // A `struct timeval` of two longs; of 0 for no end.
  const timeval = Buffer.alloc(16);
  if (waitNs !== Infinity) {
    timeval.writeBigInt64LE(BigInt(Math.floor(waitNs / 1e9)), 0);
    timeval.writeBigInt64LE(BigInt(Math.floor((waitNs % 1e9) / 1e3)), 8);
  }
  for (const option of [SO_RCVTIMEO, SO_SNDTIMEO]) {
    retried('setsockopt', () => cSetsockopt(fd, SOL_SOCKET, option, timeval, timeval.length));
  }
}

/**
 * {@link accept} that does not block: {@link NOTHING} if no connection has come. accept has no MSG_DONTWAIT, so that the listener
 * itself becomes non-blocking; to ask poll first would not do, since a client can be gone again between the two calls.
 */
export function tryAccept(listener: Socket): Socket | typeof NOTHING {
  const flags = retried('fcntl', () => cFcntl(listener, F_GETFL, 0));
  retried('fcntl', () => cFcntl(listener, F_SETFL, flags | O_NONBLOCK));
  return accept(listener);
}

/** Blocks until connected. It does not wait to fill segments (TCP_NODELAY). */
export function connect(to: Endpoint): Socket {
  const fd = retried('socket', () => cSocket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  try {
    retried('connect', () => cConnect(fd, encodeEndpoint(to), SOCKADDR_IN_BYTES));
    setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** From now on the kernel kills this process when its parent ends, whatever this process is doing. */
export function dieWithParent(): void {
  retried('prctl', () => cPrctl(PR_SET_PDEATHSIG, SIGKILL));
}

/** Blocks until bytes have come; returns how many, 0 at the end of the connection. {@link NOTHING}: see {@link limitWaits}. */
export function recv(fd: Socket, into: Uint8Array): number | typeof NOTHING {
  return recvFlags(fd, into, 0);
}

/** {@link recv} that does not block: {@link NOTHING} if no bytes have come. */
export function tryRecv(fd: Socket, into: Uint8Array): number | typeof NOTHING {
  return recvFlags(fd, into, MSG_DONTWAIT);
}

function recvFlags(fd: Socket, into: Uint8Array, flags: number): number {
  for (;;) {
    const got: number = cRecv(fd, into, into.length, flags);
    if (got >= 0) return got;
    const errno = koffi.errno();
    if (errno === EAGAIN) return NOTHING;
    if (errno !== EINTR) throw new SystemError('recv', errno);
  }
}

/** Blocks until the kernel has taken bytes; returns how many, at least 1. {@link NOTHING}: see {@link limitWaits}. */
export function send(fd: Socket, from: Uint8Array): number | typeof NOTHING {
  return sendFlags(fd, from, MSG_NOSIGNAL);
}

/** {@link send} that does not block: {@link NOTHING} if the kernel has no room. */
export function trySend(fd: Socket, from: Uint8Array): number | typeof NOTHING {
  return sendFlags(fd, from, MSG_NOSIGNAL | MSG_DONTWAIT);
}

function sendFlags(fd: Socket, from: Uint8Array, flags: number): number {
  for (;;) {
    const sent: number = cSend(fd, from, from.length, flags);
    if (sent >= 0) return sent;
    const errno = koffi.errno();
    if (errno === EAGAIN) return NOTHING;
    if (errno !== EINTR) throw new SystemError('send', errno);
  }
}

/**
 * Blocks until a socket of the set is ready, or has failed, or the time is over.
 *
 * @param set is told which
 * @param timeoutNs rounded up to milliseconds; 0 does not block, `Infinity` waits without end
 * @returns how many
 */
export function poll(set: PollSet, timeoutNs: number): number {
  const timeoutMs = timeoutNs === Infinity ? -1 : Math.ceil(timeoutNs / 1e6);
  return retried('poll', () => cPoll(set.pollfds, set.size, timeoutMs));
}

/** Ends a connection in both directions, and any call another thread is blocked in on it. The descriptor stays open. */
export function shutdown(fd: Socket): void {
  try {
    retried('shutdown', () => cShutdown(fd, SHUT_RDWR));
  } catch (error) {
    // The peer was first.
    if (!(error instanceof SystemError && error.code === 'ENOTCONN')) throw error;
  }
}

/** Frees the descriptor. Never called again after an error, EINTR included: on Linux the descriptor is gone even then. */
export function close(fd: Socket): void {
  cClose(fd);
}

/** {@link close} that resets the connection: its peer waits for nothing more, neither for bytes nor for room to send its own. */
export function reset(fd: Socket): void {
  setNoLinger(fd);
  close(fd);
}

/** {@link shutdown} of a connection that another thread owns, which resets it when it closes it. */
export function shutdownToReset(fd: Socket): void {
  setNoLinger(fd);
  shutdown(fd);
}

/** On, and no time to linger: what is unsent when it is closed is thrown away. */
function setNoLinger(fd: Socket): void {
  setOption(fd, SOL_SOCKET, SO_LINGER, 1, 0);
}

const nowhere = new Uint8Array(1);

/**
 * Goes the way of a call, into the kernel and back, for nothing: what a thread that slept long finds cold is then warm for the call that
 * counts. Half a microsecond when it was warm already.
 */
export function goTheWay(): void {
  cRecv(NO_SOCKET, nowhere, 0, 0);
}
