import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { version as zeromqJsVersion } from 'zeromq';
import {
  bindSocket,
  closeContext,
  connectSocket,
  libzmqVersion,
  loadFirst,
  openContext,
  openSocket,
  portOfEndpoint,
  recv,
  send,
  setOption,
  shutdownContext,
  TIMED_OUT,
  type ZmqContext,
  type ZmqSocket,
} from '../../net/libzmq.ts';

const HOST = '127.0.0.1';

describe('the library', () => {
  it('is the libzmq that zeromq.js uses', () => {
    expect(libzmqVersion()).toMatch(/^4\.\d+\.\d+$/);
    expect(libzmqVersion()).toBe(zeromqJsVersion);
  });

  it('is the first candidate that can be loaded', () => {
    expect(() => loadFirst(['/nowhere/addon.node', 'libc.so.6'])).not.toThrow();
  });

  it('when there is none, says why not, of each candidate, and what to install', () => {
    const load = () => loadFirst(['/nowhere/addon.node', 'libnowhere.so.5']);
    expect(load).toThrow(/libzmq5/);
    expect(load).toThrow(/\/nowhere\/addon\.node: .*No such file/);
    expect(load).toThrow(/libnowhere\.so\.5: .*No such file/);
  });
});

describe('a socket', () => {
  let context: ZmqContext;
  let sockets: ZmqSocket[];
  const open = (type: 'pair' | 'router') => {
    const socket = openSocket(context, type);
    sockets.push(socket);
    setOption(socket, 'receiveTimeoutMs', 5_000);
    return socket;
  };

  beforeEach(() => {
    context = openContext();
    sockets = [];
  });
  afterEach(() => closeContext(context, sockets));

  it('reports the port it was given', () => {
    const port = bindSocket(open('router'), { host: HOST, port: 0 });
    expect(port).toBeGreaterThan(0);
    expect(() => bindSocket(open('router'), { host: HOST, port })).toThrow('zmq_bind: EADDRINUSE');
  });

  it('names the reason of a failure', () => {
    expect(() => bindSocket(open('router'), { host: 'no address', port: 0 })).toThrow(/^zmq_bind: E[A-Z]+$/);
  });

  it('says so when nothing has come in time', () => {
    const router = open('router');
    setOption(router, 'receiveTimeoutMs', 1);
    expect(recv(router, Buffer.alloc(1))).toBe(TIMED_OUT);
  });

  it('says how long a frame was that did not fit', () => {
    const [server, client] = [open('pair'), open('pair')];
    connectSocket(client, { host: HOST, port: bindSocket(server, { host: HOST, port: 0 }) });
    expect(send(client, Buffer.from('echo'))).toBe(4);
    const into = Buffer.alloc(2);
    expect(recv(server, into)).toBe(4);
    expect(into.toString()).toBe('ec');
    send(client, Buffer.alloc(0));
    expect(recv(server, into)).toBe(0);
  });

  it('fails with ETERM once its context is shut down', () => {
    const router = open('router');
    shutdownContext(context);
    expect(() => recv(router, Buffer.alloc(1))).toThrow('zmq_recv: ETERM');
  });
});

it('reads the port of an endpoint', () => {
  expect(portOfEndpoint('tcp://127.0.0.1:5555')).toBe(5555);
});
