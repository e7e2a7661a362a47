import { describe, expect, test } from 'vitest';
import { Interleavings, type ModelThread, parseModel } from '../../../lock/machines/interleavings.ts';
import freeThreaded from '../../../lock/policies/free-threaded.ts';
import py27 from '../../../lock/policies/py27.ts';
import { SOUND, TWINS } from './twins.ts';

function model(text: string): ModelThread[] {
  const threads = parseModel(text);
  if (threads === undefined) throw new Error(`no model: ${text}`);
  return threads;
}

const BOUNDS = { states: 200_000, preemptions: Infinity };

describe('a broken twin is caught', () => {
  for (const [name, { subject, breaks, model: threads = 'io1+io1' }] of Object.entries(TWINS)) {
    test(`that ${name}: ${breaks}`, () => {
      const interleavings = new Interleavings(subject);
      const finding = interleavings.explore(model(threads), BOUNDS);
      expect(finding).toMatchObject({ kind: 'broken', property: breaks });
    });
  }
});

describe('a correct policy is proved', () => {
  for (const [name, subject] of Object.entries(SOUND)) {
    for (const threads of ['io1+io1', 'io1+cpu1', 'io0+io0+io0']) {
      test(`${name}, with ${threads}`, () => {
        expect(new Interleavings(subject).explore(model(threads), BOUNDS)).toMatchObject({ kind: 'proved' });
      });
    }
  }

  test('with wake-ups for no reason too', () => {
    const interleavings = new Interleavings({ policy: py27, options: { check: 100 } });
    expect(interleavings.explore(model('io1+io1'), BOUNDS, true)).toMatchObject({ kind: 'proved' });
  });

  test('without a lock, if it does not claim to be one', () => {
    const interleavings = new Interleavings({ policy: freeThreaded, options: {} });
    expect(interleavings.explore(model('io1+io1'), BOUNDS)).toMatchObject({ kind: 'proved' });
  });
});
