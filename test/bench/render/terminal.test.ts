import { describe, expect, it } from 'vitest';
import { renderTerminal, TERMINAL_COLUMNS } from '../../../bench/render/terminal.ts';
import { cell, ENVIRONMENT, measured, result, roundsOf, WORKLOAD, wideResult } from '../result-builder.ts';

const plain = (_style: string, text: string) => text;
const TALK = ['py32', 'pypy16', 'py27', 'priority', 'free-threaded'];

/** The piece of the output under a title. */
function section(text: string, title: RegExp): string {
  const found = text.split('\n\n').find((part) => title.test(part.split('\n')[0] ?? ''));
  if (found === undefined) throw new Error(`no section ${title}`);
  return found;
}

describe('the terminal', () => {
  it.each([
    ['the policies of the talk', TALK],
    ['a policy with an option', ['py27', 'py32', 'py32(interval=1ms)', 'priority', 'priority(spinner-priority=0)']],
    ['a policy with every option', ['py32(interval=12.5ms,spinner-priority=0,keep-lock-on=nonblocking)', ...TALK]],
    [
      'a policy of somebody who likes long names',
      ['a-very-long-name-for-a-policy-that-somebody-has-in-a-file-of-his', ...TALK],
    ],
    ['many policies', [...TALK, ...Array.from({ length: 9 }, (_, i) => `py32(interval=${i + 1}ms)`)]],
  ])('keeps to 100 columns, with wide figures and %s', (_, policies) => {
    const text = renderTerminal(wideResult(policies), plain);
    for (const line of text.split('\n')) {
      expect(line.length, line).toBeLessThanOrEqual(TERMINAL_COLUMNS);
    }
    for (const piece of policies.flatMap((policy) => policy.split(/(?=\()|(?<=,)/))) {
      expect(text).toContain(piece.slice(0, 40));
    }
  });

  it('shows servers as rows and policies as columns, the talk’s figure below ours', () => {
    const text = renderTerminal(wideResult(TALK), plain);
    const loaded = section(text, /^loaded: seconds for 10,000 messages, × unloaded/);
    expect(loaded).toMatch(/server +py32 +pypy16 +py27 +priority +free-threaded/);
    expect(loaded).toMatch(
      /\nblocking +6689\.2 s\* 523× [\s\S]*?\n {2}in the talk +142\.7 s 12\.1× +6689\.2 s 567× +15\.6 s 1\.3× +13\.0 s 1\.1×\n/,
    );
    expect(loaded).toMatch(/\nnative .*\n {2}in the talk +12\.6 s same +12\.6 s same +12\.6 s same\n/);
    expect(loaded).toMatch(/\nzeromq .*\n {2}in the talk +91\.6 s 7\.0× /);
    expect(section(text, /^unloaded: seconds/)).toMatch(/\nzeromq +12\.8 s .*\n {2}in the talk +13\.0 s\n/);
  });

  it('continues below, under the same servers, when the policies do not fit', () => {
    const many = Array.from({ length: 9 }, (_, i) => `py32(interval=${i + 2}ms)`);
    const text = renderTerminal(wideResult(many), plain);
    const [first = '', second = ''] = text.slice(text.indexOf('loaded: seconds for')).split('\n\n');
    expect(first).toContain('interval=2ms');
    expect(first).not.toContain('interval=10ms');
    expect(second).toContain('interval=10ms');
    for (const part of [first, second]) expect(part).toMatch(/\nmultiprocessing /);
  });

  it('leaves the talk out where its workload was another', () => {
    const text = renderTerminal({ ...wideResult(TALK), workload: { ...WORKLOAD, payloadBytes: 64 } }, plain);
    expect(text).not.toContain('in the talk');
    expect(text).toContain('without the figures of the talk');
  });

  it('marks what stopped at its budget, failed, was not run or brought no message', () => {
    const text = renderTerminal(
      result([
        cell('py32/blocking loaded', [measured({ ended: 'budget' })]),
        cell('py27/blocking loaded', [{ state: 'failed', round: 1, message: 'gone' }]),
        cell('pypy16/blocking loaded', []),
        cell('priority/blocking loaded', [measured({ rttMs: [], durationMs: 9 })]),
      ]),
      plain,
    );
    expect(section(text, /^loaded: seconds/)).toMatch(/blocking +12\.5 s\* +failed +not run +no message/);
    expect(text).toContain('*: stopped at the time budget');
  });

  it('says what few rounds mean, and what one means', () => {
    const of = (rounds: number) =>
      renderTerminal(result([cell('py32/blocking loaded', roundsOf(Array(rounds).fill(4)))]), plain);
    expect(of(1).replaceAll(/\s+/g, ' ')).toContain('one round: nothing is known about how far the next would differ');
    expect(of(3).replaceAll(/\s+/g, ' ')).toContain(
      'of 3 rounds the lowest and the highest, which enclose the true median with 75 %',
    );
    expect(of(6).replaceAll(/\s+/g, ' ')).toContain('(95 % interval by bootstrap over rounds)');
  });

  it('shows the lag of keys, not seconds, in the gui scenario', () => {
    const text = renderTerminal(
      result([
        cell('py32/editor unloaded', [measured({ rttMs: [2, 2, 2, 2] })]),
        cell('py32/editor gui', [measured({ rttMs: [120, 130, 140, 1_150] })]),
      ]),
      plain,
    );
    expect(text).toMatch(
      /The editor, gui: from a key to the screen[\s\S]*\npy32 +130 +1150 +1150 +1150 +100 % +100 % +25 %/,
    );
    expect(text).not.toMatch(/gui: seconds/);
  });

  it('paints titles and warnings, and nothing without colour', () => {
    const warned = result([cell('py32/blocking loaded', roundsOf([4]))], {
      warnings: [{ kind: 'few-cpus', message: 'few', advice: 'more' }],
    });
    const painted = renderTerminal(warned, (style, text) => `<${style}>${text}</>`);
    expect(painted).toContain('<yellow>warning</> few: more');
    expect(painted).toContain('<bold>loaded: seconds');
    expect(renderTerminal(warned, plain)).toContain('\nwarning few: more');
  });

  it('says that a run was interrupted, and renders one that had hardly begun', () => {
    const nothing = result([cell('py32/blocking unloaded', []), cell('py32/blocking loaded', [])], {
      interrupted: true,
    });
    expect(renderTerminal(nothing, plain)).toMatch(/interrupted: only what was finished/);
    expect(renderTerminal(result([]), plain)).toContain(ENVIRONMENT.cpu);
  });
});
