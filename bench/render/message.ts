/** One message in the terminal, as the talk's slide of "what really happens" draws it: release, the call, the wait, acquire. */
import type { Chapter, Holder, Story, TracedMessage } from '../figures/message-story.ts';
import { rttOf } from '../figures/message-story.ts';
import { roundName } from './chrome-trace.ts';
import { plural } from './format.ts';
import type { Paint } from './terminal.ts';

/** A holder of so little of a wait is not worth its name. */
const SLIGHT_SHARE = 0.05;

/**
 * @param rounds how many rounds the result has
 * @param why which message of its cell it is, in words
 */
export function renderMessage(
  message: TracedMessage,
  { thread, chapters }: Story,
  rounds: number,
  why: string,
  paint: Paint,
): string {
  const { cell, round, index } = message;
  const waitedNs = sum(chapters.filter(({ kind }) => kind === 'wait').map(lengthOf));
  const title = `${roundName(cell, round.round, rounds)}: message ${index + 1} of ${round.rttNs.length}, ${why}`;
  const spent = `${milliseconds(rttOf(message))} from sending to the echo, ${milliseconds(waitedNs)} of it waiting for the lock`;
  const rows = chapters.flatMap((chapter, i) => linesOf(chapter, i === 0, i === chapters.length - 1));
  const width = Math.max(...rows.map(({ step }) => step.length), thread.length);
  const line = (at: string, step: string, meanwhile: string) =>
    `${at.padStart(9)}  ${step.padEnd(width)}  ${meanwhile}`.trimEnd();
  return [
    title,
    spent,
    '',
    line('at ms', thread, 'who holds the lock meanwhile'),
    line('0.000', '(the client sends)', ''),
    ...rows.map(({ atNs, step, meanwhile, stands }) => {
      const text = line(decimals(atNs), step, meanwhile);
      return stands ? paint('bold', text) : text;
    }),
    line(decimals(rttOf(message)), '(the client has the echo)', ''),
  ].join('\n');
}

interface Line {
  readonly atNs: number;
  readonly step: string;
  readonly meanwhile: string;
  readonly stands: boolean;
}

function linesOf(chapter: Chapter, first: boolean, last: boolean): Line[] {
  const { kind, call, fromNs, holders } = chapter;
  const at = (step: string, meanwhile = '', stands = false) => ({ atNs: fromNs, step, meanwhile, stands });
  const lasts = `${milliseconds(lengthOf(chapter))}${last ? ' and on' : ''}`;
  switch (kind) {
    case 'call':
      return [
        ...(first ? [] : [at('release')]),
        at(`  ${call}  ${lasts}${first ? ', begun before' : ''}`, namesOf(holders, lengthOf(chapter))),
      ];
    case 'wait':
      return [at(`  *waits ${lasts} for the lock*${detailsOf(chapter)}`, namesOf(holders, lengthOf(chapter)), true)];
    case 'run':
      return [...(first ? [] : [at('acquire')]), at(`  runs  ${lasts}`, 'itself')];
    case 'away':
      return [at(`  takes no part  ${lasts}`, namesOf(holders, lengthOf(chapter)))];
  }
}

function detailsOf({ asleepNs, askedAtNs }: Chapter): string {
  const asleep = asleepNs > 0 ? `, asleep ${milliseconds(asleepNs)}` : '';
  const [asked] = askedAtNs;
  if (asked === undefined) return asleep;
  return `${asleep}; asks for it at ${decimals(asked)}${askedAtNs.length > 1 ? ` (${plural(askedAtNs.length, 'time')})` : ''}`;
}

function namesOf(holders: readonly Holder[], lengthNs: number): string {
  const held = holders.filter(({ heldNs }) => heldNs > SLIGHT_SHARE * lengthNs);
  if (held.length === 0) return 'nobody';
  return held.map(({ name, heldNs }) => `${name} (${((100 * heldNs) / lengthNs).toFixed(0)} %)`).join(', ');
}

function lengthOf({ fromNs, untilNs }: Chapter): number {
  return untilNs - fromNs;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function decimals(ns: number): string {
  return (ns / 1e6).toFixed(3);
}

function milliseconds(ns: number): string {
  return `${decimals(ns)} ms`;
}
