import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatModel, type ModelThread, parseModel } from '../../../lock/machines/interleavings/model-thread.ts';
import { formatSchedule, parseSchedule } from '../../../lock/machines/interleavings/schedule.ts';
import type { Move } from '../../../lock/machines/interleavings/world.ts';

const thread = fc.record<ModelThread>({
  kind: fc.constantFrom('io', 'cpu'),
  times: fc.integer({ min: 0, max: 9 }),
  priority: fc.integer({ min: -9, max: 9 }),
});
const number = fc.integer({ min: 0, max: 3 });
const wakes = fc.integer({ min: 0, max: 15 });
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ kind: fc.constant('step' as const), thread: number, wakes }),
  fc.record({ kind: fc.constantFrom('timeOut' as const, 'spurious' as const), thread: number }),
);

describe('a model as text', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(thread, { minLength: 1, maxLength: 4 }), (model) => {
        expect(parseModel(formatModel(model))).toEqual(model);
      }),
    );
  });

  it.each(['', 'io', 'io1+', 'gpu1', 'io1@0', 'io10', 'io1+io1+io1+io1+io1'])('is not «%s»', (text) => {
    expect(parseModel(text)).toBeUndefined();
  });
});

describe('a schedule as text', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(move), (moves) => {
        expect(parseSchedule(formatSchedule(moves))).toEqual(moves);
      }),
    );
  });

  it.each(['5', '1x', 't', '12 3', '1w5'])('is not «%s»', (text) => {
    expect(parseSchedule(text)).toBeUndefined();
  });
});
