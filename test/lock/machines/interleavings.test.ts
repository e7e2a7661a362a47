import { describe, expect, test } from 'vitest';
import { Interleavings, type ModelThread, parseModel } from '../../../lock/machines/interleavings.ts';
import freeThreaded from '../../../lock/policies/free-threaded.ts';
import py27 from '../../../lock/policies/py27.ts';
import { policyOf, SOUND, TWINS } from './twins.ts';

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

describe('a failure', () => {
  const twin = TWINS['looks and takes in two steps'];
  if (twin === undefined) throw new Error('no twin');
  const interleavings = new Interleavings(twin.subject);
  const finding = interleavings.explore(model('io0+io0'), BOUNDS);

  test('is shown by a shortest schedule, with the names of the words', () => {
    expect(finding).toMatchObject({ message: 'threads 1 and 2 hold the lock at once' });
    expect('schedule' in finding && finding.schedule.map(({ thread, text }) => `${thread} ${text}`)).toEqual([
      '1 load(LOCKED) → 0',
      '2 load(LOCKED) → 0',
      '1 store(LOCKED, 1) → 1; holds the lock',
      '2 store(LOCKED, 1) → 1; holds the lock',
    ]);
  });

  test('can be followed again', () => {
    const replayed = interleavings.replay('replay' in finding ? finding.replay : '');
    expect(replayed).toMatchObject({ broken: { property: 'one-holder' } });
    expect(replayed?.schedule).toEqual('schedule' in finding && finding.schedule);
  });

  test('is not what no thread can do', () => {
    expect(interleavings.replay('io0+io0:1t')).toBeUndefined();
    expect(interleavings.replay('io0:2')).toBeUndefined();
    expect(interleavings.replay('io0')).toMatchObject({ schedule: [], broken: null });
  });
});

describe('no proof is claimed', () => {
  test('of more states than the bound', () => {
    const finding = new Interleavings({ policy: py27, options: { check: 100 } }).explore(model('io2+io2'), {
      states: 100,
      preemptions: Infinity,
    });
    const [, steps] =
      /^more than 100 states, with every schedule of up to (\d+) steps/.exec(
        'message' in finding ? finding.message : '',
      ) ?? [];
    expect(finding).toMatchObject({ kind: 'outgrown' });
    expect(Number(steps)).toBeGreaterThan(3);
    expect('states' in finding && finding.states).toBeGreaterThan(100);
  });

  test('of a policy whose local state cannot be seen, and goes on for ever', () => {
    const subject = policyOf(({ LOCKED }) => ({
      *acquire(m) {
        const seen = new Set<number>();
        for (let found = 1; found !== 0; seen.add(found)) {
          found = yield m.compareExchange(LOCKED, 0, 1);
          if (found !== 0) yield m.wait(LOCKED, 1, 5e6);
        }
      },
      *release(m) {
        yield m.store(LOCKED, 0);
        yield m.notify(LOCKED, 1);
      },
    }));
    expect(new Interleavings(subject).explore(model('io0+io0'), BOUNDS)).toMatchObject({ kind: 'outgrown' });
  });

  test('of a policy that counts without end', () => {
    const subject = policyOf(({ OTHER }) => ({
      *acquire(m) {
        for (let tries = 0; tries < Infinity; tries++) yield m.add(OTHER, 1);
      },
    }));
    expect(new Interleavings(subject).explore(model('io0'), BOUNDS)).toMatchObject({
      kind: 'outgrown',
      message: 'acquire of thread 1 has made 1,000 steps and not come to an end',
    });
  });

  test('beyond a bound of pre-emptions, though what takes fewer is found', () => {
    const twin = TWINS['looks and takes in two steps'];
    if (twin === undefined) throw new Error('no twin');
    const explore = (preemptions: number) =>
      new Interleavings(twin.subject).explore(model('io0+io0'), { states: 100_000, preemptions });
    expect(explore(0)).toMatchObject({ kind: 'proved', bounded: true });
    expect(explore(1)).toMatchObject({ kind: 'broken' });
  });
});
