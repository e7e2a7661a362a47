/**
 * The client in virtual time: the loop of `client/client-thread.ts` (send, receive, pause) and the exchange of each of its transports.
 */
import type { Machine } from '../../lock/machines/virtual-time/machine.ts';
import type { Program, VirtualThread } from '../../lock/machines/virtual-time/thread.ts';
import { encodeFrame, HEADER_BYTES } from '../../net/frame.ts';
import { layOutMessage } from '../../net/multiprocessing-format.ts';
import type { Socket } from '../../net/posix.ts';
import { type Kernel, TIMER } from './kernel.ts';
import type { SimulatedZmqSocket } from './libzmq.ts';
import type { Profile } from './profile.ts';

/** Round trips as they are made. */
export interface Trips {
  startedAtNs: number;
  durationNs: number;
  ended: 'complete' | 'budget';
  readonly sentNs: number[];
  readonly rttNs: number[];
}

export interface SimulatedClient {
  readonly machine: Machine;
  readonly profile: Profile;
  readonly messages: number;
  readonly warmupMessages: number;
  readonly delayNs: number;
  readonly budgetNs: number;
  readonly trips: Trips;
}

/** Bytes that are sent, and the same that came back, over a connection that the client makes. */
export interface Exchange {
  readonly payload: Uint8Array;
  readonly echoed: () => Uint8Array;
  connect(thread: VirtualThread): void;
  run(thread: VirtualThread): Program;
}

/** For so long it makes round trips at the run's pace before they count, as the real one does: threads that began on one CPU find a second. */
const SETTLING_NS = 250e6;

/** Warms up, settles, and makes the round trips that count. Stops the machine after each, and sleeps until it is woken for the next. */
export function* runClient(thread: VirtualThread, client: SimulatedClient, exchange: Exchange): Program {
  const { machine, profile, messages, delayNs, trips } = client;
  const { payload } = exchange;
  exchange.connect(thread);
  for (let i = 0; i < payload.length; i++) payload[i] = i % 251;

  for (let message = 0; message < client.warmupMessages; message++) {
    yield* echo(thread, exchange, message);
    if (delayNs > 0) yield thread.sleepFor(delayNs, TIMER.pause);
  }
  machine.stopped = true;
  yield thread.sleep();

  const settledAtNs = machine.nowNs + SETTLING_NS;
  for (let message = 0; message < messages && machine.nowNs < settledAtNs; message++) {
    yield* echo(thread, exchange, message);
    yield thread.run(profile.client.messageNs);
    if (delayNs > 0) yield thread.sleepFor(delayNs, TIMER.pause);
  }
  machine.stopped = true;
  yield thread.sleep();

  trips.startedAtNs = machine.nowNs;
  for (let message = 0; message < messages; message++) {
    if (machine.nowNs - trips.startedAtNs >= client.budgetNs) {
      trips.ended = 'budget';
      break;
    }
    const sentNs = machine.nowNs;
    yield* echo(thread, exchange, message);
    trips.sentNs.push(sentNs - trips.startedAtNs);
    trips.rttNs.push(machine.nowNs - sentNs);
    yield thread.run(profile.client.messageNs);
    if (delayNs > 0) yield thread.sleepFor(delayNs, TIMER.pause);
    trips.durationNs = machine.nowNs - trips.startedAtNs;
  }
  machine.stopped = true;
}

/** One round trip, numbered and looked at, neither of which takes simulated time. */
function* echo(thread: VirtualThread, exchange: Exchange, message: number): Program {
  const { payload, echoed } = exchange;
  for (let i = 0; i < Math.min(4, payload.length); i++) payload[i] = message >>> (8 * i);
  yield* exchange.run(thread);
  if (Buffer.compare(payload, echoed()) !== 0) throw new Error(`the echo of message ${message} differs`);
}

/** Size-prefixed frames. */
export function framedExchange(kernel: Kernel, listener: Socket, payloadBytes: number): Exchange {
  let socket: Socket;
  const sent = encodeFrame(new Uint8Array(payloadBytes));
  const header = new Uint8Array(HEADER_BYTES);
  const echoed = Buffer.alloc(payloadBytes);
  return {
    payload: sent.subarray(HEADER_BYTES),
    echoed: () => echoed,
    connect(thread) {
      socket = kernel.sockets.connect(listener, thread);
    },
    *run(thread) {
      yield* kernel.send(thread, socket, sent, false);
      yield* recvExactly(kernel, thread, socket, header);
      yield* recvExactly(kernel, thread, socket, echoed);
    },
  };
}

/** Messages of `multiprocessing.connection`. Encoding is time that passes; the body is the payload as it is. */
export function multiprocessingExchange(
  kernel: Kernel,
  listener: Socket,
  payloadBytes: number,
  encodeNs: number,
): Exchange {
  let socket: Socket;
  const { body, writes } = layOutMessage(payloadBytes);
  const header = new Uint8Array(HEADER_BYTES);
  const echoed = Buffer.alloc(payloadBytes);
  return {
    payload: body,
    echoed: () => echoed,
    connect(thread) {
      socket = kernel.sockets.connect(listener, thread);
    },
    *run(thread) {
      yield thread.run(encodeNs);
      for (const bytes of writes) yield* kernel.send(thread, socket, bytes, false);
      yield* recvExactly(kernel, thread, socket, header);
      yield* recvExactly(kernel, thread, socket, echoed);
      yield thread.run(encodeNs);
    },
  };
}

/** A REQ; its empty delimiter, which costs as good as nothing, is left out. */
export function zeromqExchange(socket: SimulatedZmqSocket, router: SimulatedZmqSocket, payloadBytes: number): Exchange {
  const payload = new Uint8Array(payloadBytes);
  const sent = new Uint8Array(payloadBytes);
  let echoed: Uint8Array = payload;
  return {
    payload,
    echoed: () => echoed,
    connect() {
      socket.connect(router);
    },
    *run(thread) {
      // A copy: the echo must not be the very bytes that the next message is written into.
      sent.set(payload);
      yield* socket.send(thread, [sent]);
      const frames = yield* socket.receive(thread);
      echoed = frames[0] ?? payload.subarray(0, 0);
    },
  };
}

function* recvExactly(kernel: Kernel, thread: VirtualThread, socket: Socket, into: Uint8Array): Program {
  let have = 0;
  while (have < into.length) {
    have += yield* kernel.recv(thread, socket, have === 0 ? into : into.subarray(have), false);
  }
}
