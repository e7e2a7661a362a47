/**
 * A bounded storm of hostile connections on one port, beside a client that behaves well: does the server survive, does the client get
 * every echo meanwhile, and does the process hold afterwards what it held before?
 */
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { type Usage, usageOf } from '../usage.ts';
import { HostilePeer } from './hostile-peer.ts';
import { hostileInput } from './input.ts';
import type { DecentClient, Port } from './ports.ts';

/** Inputs that one seed makes. The seeds of a storm follow one another. */
export const INPUTS_PER_SEED = 500;
/** Connections at a time. */
const PEERS = 6;
const TRIPS_AT_A_TIME = 50;
/** After the storm the server has so long to let go of what it held. */
const CALM_MS = 10_000;
const SETTLE_MS = 500;
/** The part of the inputs after which a process holds what it needs. */
const WARM_UP = 0.1;

export interface StormReport {
  readonly port: string;
  readonly inputs: number;
  readonly firstSeed: number;
  readonly lastSeed: number;
  /** What went wrong, with the seed that reproduces it; null if nothing did. */
  readonly failure: string | null;
  /** What the server has sent to hostile peers: some of what they send is right. */
  readonly answeredBytes: number;
  /** Of the client beside. */
  readonly rttNs: readonly number[];
  /** Of the server's process: when a tenth of the inputs were through, so that heaps and pools have found their size; at its most; in the calm after. */
  readonly before: Usage;
  readonly most: Usage;
  readonly after: Usage;
  readonly tookMs: number;
}

/** @param seed of the first {@link INPUTS_PER_SEED} inputs; the next have the next, and so on */
export async function storm(port: Port, inputs: number, seed: number): Promise<StormReport> {
  const startedMs = performance.now();
  const open = await port.open();
  const usage = new UsageWatch(open.pid);
  const client = await open.connect();
  const beside = new Beside(client);
  const peers = Array.from({ length: PEERS }, () => new HostilePeer(open.port));
  let sent = 0;
  let at = seed;
  let failure: string | null = null;
  try {
    for (; sent < inputs; at++) {
      const batch = fc.sample(hostileInput(port.valid), {
        seed: at,
        numRuns: Math.min(INPUTS_PER_SEED, inputs - sent),
      });
      const left = batch.values();
      // All take from the same iterator.
      const through = peers.map(async (peer) => {
        for (const input of left) await peer.send(input);
      });
      await Promise.race([Promise.all(through), beside.failed]);
      sent += batch.length;
      const warm = !usage.isWarm && sent >= inputs * WARM_UP;
      if (warm) await settle(peers);
      usage.look(warm);
      if (open.lost !== undefined) throw new Error(open.lost);
    }
  } catch (error) {
    // A process that dies is noticed first by its connections.
    await delay(500);
    failure = `seed ${at}: ${open.lost ?? (error instanceof Error ? error.message : error)}`;
  }
  await settle(peers);
  const rttNs = await beside.end();
  failure ??= beside.failure === null ? null : `seed ${at}: ${beside.failure}`;
  if (open.lost === undefined) await usage.calm(CALM_MS);
  await client.stop();
  const stopped = await open.stop();
  failure ??= stopped;
  return {
    port: port.name,
    inputs: sent,
    firstSeed: seed,
    lastSeed: Math.max(seed, at - 1),
    failure,
    answeredBytes: peers.reduce((sum, peer) => sum + peer.answeredBytes, 0),
    rttNs,
    before: usage.before,
    most: usage.most,
    after: usage.last,
    tookMs: performance.now() - startedMs,
  };
}

/** Lets go of what the peers hold, so that what the process holds then is its own. */
async function settle(peers: readonly HostilePeer[]): Promise<void> {
  for (const peer of peers) peer.close();
  await delay(SETTLE_MS);
}

/** The client beside the storm. */
class Beside {
  /** Rejects when it fails. */
  readonly failed: Promise<never>;
  failure: string | null = null;
  readonly #rttNs: number[] = [];
  readonly #ended: Promise<void>;
  #ending = false;

  constructor(client: DecentClient) {
    this.#ended = this.#run(client);
    this.failed = new Promise((_, reject) => {
      this.#ended.catch(reject);
    });
    this.failed.catch((error: unknown) => {
      this.failure = error instanceof Error ? error.message : String(error);
    });
  }

  /** Lets it come to an end. Returns the round trips it made. */
  async end(): Promise<readonly number[]> {
    this.#ending = true;
    await this.#ended.catch(() => {});
    return this.#rttNs;
  }

  async #run(client: DecentClient): Promise<void> {
    do {
      for (const rttNs of await client.trips(TRIPS_AT_A_TIME)) this.#rttNs.push(rttNs);
    } while (!this.#ending);
  }
}

/** What the server's process holds, from time to time. */
class UsageWatch {
  readonly #pid: number;
  isWarm = false;
  before: Usage;
  most: Usage;
  last: Usage;

  constructor(pid: number) {
    this.#pid = pid;
    this.before = this.most = this.last = usageOf(pid);
  }

  /** @param warm whether this is what the process starts from */
  look(warm = false): void {
    try {
      this.last = usageOf(this.#pid);
    } catch {
      // It has ended, and that is noticed elsewhere.
      return;
    }
    if (warm) this.before = this.last;
    this.isWarm ||= warm;
    const most = (of: keyof Usage) => Math.max(this.most[of], this.last[of]);
    this.most = {
      memoryBytes: most('memoryBytes'),
      descriptors: most('descriptors'),
      threads: most('threads'),
      children: most('children'),
    };
  }

  /** Waits until descriptors are what they were, but not for ever. */
  async calm(timeoutMs: number): Promise<void> {
    const endMs = performance.now() + timeoutMs;
    do {
      await delay(100);
      this.look();
    } while (this.last.descriptors > this.before.descriptors && performance.now() < endMs);
  }
}
