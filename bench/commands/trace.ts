/** `convoy trace`: one message of a recorded result in the terminal; or all of the recording in a file for Perfetto. */
import { styleText } from 'node:util';
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { EXIT, UsageError } from '../exit-codes.ts';
import { rttOf, type TracedMessage, tellMessage, tracedMessages } from '../figures/message-story.ts';
import { writablePath } from '../options/files.ts';
import { refuseRepeated, wholeNumber } from '../options/values.ts';
import { renderChromeTrace } from '../render/chrome-trace.ts';
import { renderMessage } from '../render/message.ts';
import type { Cell, Result } from '../result/result.ts';
import { readResult, writeWhole } from '../result/result-file.ts';

const OPTIONS = {
  cell: {
    type: 'string',
    describe: 'policy/server/scenario, such as py32/blocking/loaded; by default the loaded cell with the longest p99',
  },
  message: {
    type: 'string',
    default: 'p99',
    describe: 'which message of the cell: p99, slowest, median, or its number, from 1, in the first recorded round',
  },
  output: {
    alias: 'o',
    type: 'string',
    describe: 'write all that was recorded to this file instead, for https://ui.perfetto.dev',
  },
} as const satisfies Record<string, Options>;

type Arguments = InferredOptionTypes<typeof OPTIONS> & { readonly result: string };

const PERCENTS: Readonly<Record<string, number>> = { p99: 99, slowest: 100, median: 50 };

/** Adds the options to the command. */
export function withOptions(yargs: Argv): Argv<Arguments> {
  return yargs
    .positional('result', { type: 'string', demandOption: true, describe: 'a file of --timeline --json' })
    .options(OPTIONS);
}

/** @returns the exit code */
export async function run({ result: path, ...args }: Arguments): Promise<number> {
  refuseRepeated(args, OPTIONS);
  const output = args.output === undefined ? null : await writablePath('output', args.output);
  const result = await readResult(path);
  const recorded = result.cells.filter((cell) =>
    cell.rounds.some((round) => round.state === 'measured' && round.timeline !== undefined),
  );
  if (recorded.length === 0) {
    throw new UsageError(`${path} has no timeline: record one with --timeline, convoy bench --timeline --json FILE`);
  }
  if (output !== null) {
    await writeWhole(output, renderChromeTrace(result));
    return EXIT.ok;
  }
  const messages = chooseMessages(result, recorded, args.cell);
  const [message, why] = chooseMessage(messages, args.message);
  const text = renderMessage(message, tellMessage(message), result.rounds, why, styleText);
  process.stdout.write(`${text}\n`);
  return EXIT.ok;
}

/** The messages of the cell that is asked for. */
function chooseMessages(result: Result, recorded: readonly Cell[], name: string | undefined): TracedMessage[] {
  const slowestFirst = (cells: readonly Cell[]) =>
    cells
      .map(tracedMessages)
      .filter((messages) => messages.length > 0)
      .sort((a, b) => rttAt(b, 99) - rttAt(a, 99));
  if (name === undefined) {
    const [slowest] = [
      ...slowestFirst(recorded.filter(({ scenario }) => scenario !== 'unloaded')),
      ...slowestFirst(recorded),
    ];
    if (slowest === undefined) throw new UsageError('no message is whole in what was recorded: record fewer messages');
    return slowest;
  }
  const [messages] = slowestFirst(recorded.filter((cell) => nameOf(cell) === name));
  if (messages !== undefined) return messages;
  const why = result.cells.some((cell) => nameOf(cell) === name) ? 'nothing was recorded of' : 'there is no cell';
  throw new UsageError(`${why} «${name}»; there are ${[...new Set(recorded.map(nameOf))].join(', ')}`);
}

function nameOf({ policy, server, scenario }: Cell): string {
  return `${policy}/${server}/${scenario}`;
}

/** The message, and in words which one it is. */
function chooseMessage(messages: readonly TracedMessage[], which: string): [TracedMessage, string] {
  const percent = Object.hasOwn(PERCENTS, which) ? PERCENTS[which] : undefined;
  if (percent !== undefined) {
    const words = which === 'p99' ? '99 % were no slower' : which === 'slowest' ? 'the slowest' : 'half were no slower';
    return [atPercent(messages, percent), words];
  }
  if (!/^\d+$/.test(which)) throw new UsageError(`--message is p99, slowest, median or a number, not «${which}»`);
  const [first] = messages as [TracedMessage, ...TracedMessage[]];
  const index = wholeNumber('message', which, 1, first.round.rttNs.length) - 1;
  const message = messages.find((each) => each.round === first.round && each.index === index);
  if (message === undefined) {
    const [from, until] = [first.index + 1, (messages.findLast((each) => each.round === first.round)?.index ?? 0) + 1];
    throw new UsageError(
      `message ${which} was overwritten: messages ${from} to ${until} are left; record fewer messages`,
    );
  }
  return [message, 'as asked for'];
}

function rttAt(messages: readonly TracedMessage[], percent: number): number {
  return rttOf(atPercent(messages, percent));
}

/** Nearest rank, as everywhere. */
function atPercent(messages: readonly TracedMessage[], percent: number): TracedMessage {
  const sorted = messages.toSorted((a, b) => rttOf(a) - rttOf(b));
  return sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1] as TracedMessage;
}
