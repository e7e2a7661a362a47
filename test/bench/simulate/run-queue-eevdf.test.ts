/** By hand: what the kernel's text says of a few threads. By property: what it promises of many. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EarliestDeadlineQueue } from '../../../bench/simulate/run-queue-eevdf.ts';
import { STATE, VirtualThread } from '../../../lock/machines/virtual-time/thread.ts';

const SLICE_NS = 1_000;
const queueOf = () => new EarliestDeadlineQueue({ sliceNs: SLICE_NS, tickNs: 1 });
const threadOf = (number: number) => new VirtualThread(number, `thread ${number}`, function* () {});

/** A thread has the CPU of an empty queue, and has run for so long. */
function running(queue: EarliestDeadlineQueue, ranNs = 0) {
  const thread = threadOf(0);
  queue.place(thread, queue, null, 0);
  queue.begin(thread);
  queue.count(thread, ranNs);
  return thread;
}

/** A thread wakes, or comes, and waits. Returns whether it displaces who runs. */
function comes(queue: EarliestDeadlineQueue, thread: VirtualThread, current: VirtualThread, ranNs = 0): boolean {
  queue.place(thread, queue, current, ranNs);
  queue.add(thread);
  return queue.displaces(thread, current, ranNs);
}

/** The one that runs falls asleep, and the next one has the CPU. */
function sleeps(queue: EarliestDeadlineQueue, current: VirtualThread): VirtualThread | undefined {
  current.state = STATE.sleeping;
  queue.leave(current);
  const next = queue.take();
  if (next !== undefined) queue.begin(next);
  return next;
}

it.each([
  [0, false],
  [SLICE_NS - 1, false],
  [SLICE_NS, true],
])(
  'who wakes and was neither ahead nor behind waits for who runs, until that has had its slice: after %d ns',
  (ranNs, displaces) => {
    const queue = queueOf();
    expect(comes(queue, threadOf(1), running(queue), ranNs)).toBe(displaces);
  },
);

/** The first thread fell asleep 10 ahead of the second, which waited and has the CPU now. */
function asleepAhead() {
  const queue = queueOf();
  const first = running(queue);
  const second = threadOf(1);
  expect(comes(queue, second, first, 100)).toBe(false);
  queue.count(first, 110);
  expect(sleeps(queue, first)).toBe(second);
  expect(first.isDelayed).toBe(true);
  return { queue, first, second };
}

it('who is ahead gives way as soon as it is asked', () => {
  const queue = queueOf();
  const current = running(queue);
  comes(queue, threadOf(1), current);
  expect(queue.givesWay(current, 0)).toBe(false);
  expect(queue.givesWay(current, 1)).toBe(true);
});

it('who is not ahead keeps the CPU until the deadline it began with, though another has an earlier one', () => {
  const queue = queueOf();
  const current = running(queue);
  const at = (number: number, virtualRuntimeNs: number, virtualDeadlineNs: number) =>
    queue.add(Object.assign(threadOf(number), { virtualRuntimeNs, virtualDeadlineNs }));
  at(1, 0, SLICE_NS / 2);
  // So far ahead that all others are behind.
  at(2, 100 * SLICE_NS, 200 * SLICE_NS);
  expect(queue.givesWay(current, SLICE_NS - 1)).toBe(false);
  expect(queue.givesWay(current, SLICE_NS)).toBe(true);
});

it('who fell asleep ahead, while another waited, is where it was: it displaces that one when it wakes, if that has caught up', () => {
  for (const [ranNs, displaces] of [
    [5, false],
    [10, false],
    [15, true],
  ] as const) {
    const { queue, first, second } = asleepAhead();
    expect(comes(queue, first, second, ranNs)).toBe(displaces);
    expect([first.isDelayed, first.virtualRuntimeNs]).toEqual([false, 110]);
  }
});

it('who slept until the others had caught up has lost what it was ahead, and waits', () => {
  const { queue, first, second } = asleepAhead();
  queue.count(second, 60);
  expect(sleeps(queue, second)).toBeUndefined();
  expect([first.isDelayed, first.lagNs]).toEqual([false, 0]);
  const third = running(queue);
  expect(comes(queue, first, third, 20)).toBe(false);
});

it('who fell asleep behind is behind when it wakes, and displaces', () => {
  const queue = queueOf();
  const first = running(queue);
  const second = threadOf(1);
  comes(queue, second, first);
  // The first one runs on for long; the second has a little of the CPU after it.
  queue.count(first, 600);
  queue.add(first);
  expect(queue.take()).toBe(second);
  queue.begin(second);
  queue.count(second, 20);
  expect(sleeps(queue, second)).toBe(first);
  expect([second.isDelayed, second.lagNs]).toEqual([false, (600 - 20) / 2]);
  expect(comes(queue, second, first, 5)).toBe(true);
});

it('nobody is behind by more than two slices when it falls asleep', () => {
  const queue = queueOf();
  const first = running(queue);
  const second = threadOf(1);
  comes(queue, second, first);
  queue.count(first, 100 * SLICE_NS);
  queue.add(first);
  queue.take();
  queue.begin(second);
  queue.count(second, 1);
  sleeps(queue, second);
  expect(second.lagNs).toBe(2 * SLICE_NS);
});

it('who has ended does not stay in the queue', () => {
  const queue = queueOf();
  const first = running(queue);
  comes(queue, threadOf(1), first, 100);
  queue.count(first, 110);
  first.state = STATE.ended;
  queue.leave(first);
  expect(first.isDelayed).toBe(false);
});

it('who goes to another CPU is one that may, and as far behind there', () => {
  const [from, to] = [queueOf(), queueOf()];
  const current = running(from);
  const [stays, goes] = [threadOf(1), threadOf(2)];
  comes(from, stays, current);
  comes(from, goes, current);
  goes.virtualRuntimeNs -= 30;
  expect(from.takeAway(() => false)).toBeUndefined();
  expect(from.takeAway((thread) => thread === goes)).toBe(goes);
  expect(from.length).toBe(1);
  const there = running(to, 5_000);
  to.place(goes, from, there, 0);
  expect(goes.virtualRuntimeNs).toBe(5_000 - 2 * goes.lagNs);
});

it('threads that always want the CPU have had the same of it, but for two slices, whenever they are asked to give way', () => {
  const runs = fc.array(fc.integer({ min: 1, max: SLICE_NS }), { minLength: 50, maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 6 }), runs, (count, ranNs) => {
      const queue = queueOf();
      let current = running(queue);
      const threads = [current];
      for (let number = 1; number < count; number++) {
        const thread = threadOf(number);
        threads.push(thread);
        comes(queue, thread, current);
      }
      const hadNs = new Map(threads.map((thread) => [thread, 0]));
      for (const ns of ranNs) {
        queue.count(current, ns);
        hadNs.set(current, (hadNs.get(current) ?? 0) + ns);
        if (!queue.givesWay(current, 0)) continue;
        queue.add(current);
        const next = queue.take();
        expect(next).toBeDefined();
        current = next as VirtualThread;
        queue.begin(current);
      }
      const all = [...hadNs.values()];
      expect(Math.max(...all) - Math.min(...all)).toBeLessThanOrEqual(2 * SLICE_NS);
    }),
  );
});
