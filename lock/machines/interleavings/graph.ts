/**
 * What a search has found, as a graph: how each state was first reached, and which states lead to which. Two questions are asked of it when
 * the search is over, since they are about all schedules together.
 */
import type { Move } from './world.ts';

const NO_THREAD = -1;

/** How states were reached, and which lead to which. */
export class Graph {
  /** For each state the one it was first reached from, and the move. */
  readonly #from: number[] = [];
  readonly #moves: (Move | undefined)[] = [];
  /** The successors of all states, one after the other, and where each state's end. */
  readonly #successors: number[] = [];
  readonly #ends: number[] = [];
  readonly #goals: number[] = [];
  /** For each successor, the thread whose step leads there; {@link NO_THREAD} if it is no thread's step. */
  readonly #movers: number[] = [];

  add(from: number, move: Move | undefined): number {
    this.#moves.push(move);
    return this.#from.push(from) - 1;
  }

  link(to: number, move: Move): void {
    this.#successors.push(to);
    this.#movers.push(move.kind === 'step' ? move.thread : NO_THREAD);
  }

  endOf(state: number): void {
    this.#ends[state] = this.#successors.length;
  }

  reachesEnd(state: number): void {
    this.#goals.push(state);
  }

  path(state: number): Move[] {
    const moves: Move[] = [];
    for (let at = state; at >= 0; at = this.#from[at] as number) {
      const move = this.#moves[at];
      if (move !== undefined) moves.push(move);
    }
    return moves.reverse();
  }

  /** The first state, in the order of the search, from which the end of all threads cannot be reached. */
  firstDoomed(): number | undefined {
    const count = this.#from.length;
    // Predecessors in the same form as successors: counted, then filled in.
    const ends = new Int32Array(count + 1);
    for (const to of this.#successors) (ends[to + 1] as number)++;
    for (let i = 1; i <= count; i++) (ends[i] as number) += ends[i - 1] as number;
    const next = ends.slice(0, count);
    const predecessors = new Int32Array(this.#successors.length);
    let at = 0;
    for (let state = 0; state < count; state++) {
      for (; at < (this.#ends[state] as number); at++) {
        predecessors[(next[this.#successors[at] as number] as number)++] = state;
      }
    }
    const saved = new Uint8Array(count);
    const queue = [...this.#goals];
    for (const goal of queue) saved[goal] = 1;
    for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
      for (let i = ends[state] as number; i < (ends[state + 1] as number); i++) {
        const predecessor = predecessors[i] as number;
        if (saved[predecessor] === 1) continue;
        saved[predecessor] = 1;
        queue.push(predecessor);
      }
    }
    const doomed = saved.indexOf(0);
    return doomed < 0 ? undefined : doomed;
  }

  /** The first state found to which a thread comes back by its own steps. */
  firstLoop(threads: number): { state: number; thread: number } | undefined {
    const count = this.#from.length;
    for (let thread = 0; thread < threads; thread++) {
      // A thread alone has one way from each state, a chain to follow. Where a notify has a choice, one of them will do.
      const next = new Int32Array(count).fill(-1);
      let at = 0;
      for (let state = 0; state < count; state++) {
        for (; at < (this.#ends[state] as number); at++) {
          if (this.#movers[at] === thread) next[state] = this.#successors[at] as number;
        }
      }
      // Each chain is marked with the state where it was begun: to meet one's own mark is to have gone round.
      const begun = new Int32Array(count).fill(-1);
      for (let state = 0; state < count; state++) {
        let here = state;
        while (here >= 0 && begun[here] === -1) {
          begun[here] = state;
          here = next[here] as number;
        }
        if (here >= 0 && begun[here] === state) return { state: here, thread };
      }
    }
    return undefined;
  }
}
