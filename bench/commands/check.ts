/** `convoy check`: every interleaving of every policy, spread over the CPUs. */
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { loadPolicy } from '../../lock/load-policy.ts';
import { DEFAULT_BOUNDS, type Finding, formatModel, modelsFor, parseModel } from '../../lock/machines/interleavings.ts';
import { POLICIES } from '../../lock/policies/index.ts';
import type { PolicySpec } from '../../lock/policy-spec.ts';
import { CheckPool, type Ended } from '../check/pool.ts';
import { type Checked, renderChecked, renderReplayed, renderSummary } from '../check/report.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { refuseRepeated, split, wholeNumber } from '../options/values.ts';
import { readPolicy } from '../processes/read-policy.ts';

const OPTIONS = {
  threads: {
    type: 'string',
    array: true,
    default: ['2', '3'],
    describe: 'how many threads, 2 to 4; or which: io2+cpu1@-1 (2 calls; 1 yield point, priority −1)',
  },
  preemptions: { type: 'string', describe: 'only schedules with at most so many pre-emptions; by default all' },
  spurious: { type: 'boolean', default: false, describe: 'sleeps may also end for no reason, as POSIX allows' },
  states: { type: 'string', default: String(DEFAULT_BOUNDS.states), describe: 'give up after so many states' },
  replay: { type: 'string', describe: 'show the schedule that a failure printed' },
} as const satisfies Record<string, Options>;

type CheckArguments = InferredOptionTypes<typeof OPTIONS> & { readonly policies?: readonly string[] | undefined };

/** Adds the options to the command. */
export function withOptions(yargs: Argv): Argv<CheckArguments> {
  return yargs
    .positional('policies', {
      type: 'string',
      array: true,
      describe: `${Object.keys(POLICIES).join(', ')}; or your own, ./mine.js; by default all`,
    })
    .options(OPTIONS)
    .example([
      ['$0 check', 'every policy, with two and with three threads'],
      ['$0 check ./mine.js --threads 2', 'a policy of your own'],
      ['$0 check py32 --threads io2+cpu3 --spurious', 'with threads of your choice'],
    ]);
}

/** Checks everything that was asked for, printing as it goes. @returns the exit code */
export async function run(args: CheckArguments): Promise<number> {
  refuseRepeated(args, OPTIONS);
  const policies = await readPolicies(args.policies ?? []);
  const bounds = {
    states: wholeNumber('states', args.states, 1, 10_000_000),
    preemptions: args.preemptions === undefined ? Infinity : wholeNumber('preemptions', args.preemptions, 0, 1_000),
  };
  const plans = await Promise.all(
    policies.map(async (policy) => (await readModels(policy, args.threads)).map((model) => ({ policy, model }))),
  );
  const planned = plans.flat();
  const pool = new CheckPool();
  try {
    if (args.replay !== undefined) return await replay(pool, policies, args.replay);
    const checked: Checked[] = [];
    const interrupted = await pool.interruptible(async () => {
      const running = planned.map(async ({ policy, model }) => ({
        policy: policy.label,
        model,
        finding: findingOf(await pool.run(policy, { kind: 'explore', model, bounds, spurious: args.spurious })),
      }));
      // In the order in which they were asked for, whichever is done first.
      for (const each of running) {
        const { policy, model, finding } = await each;
        if (finding === null) continue;
        checked.push({ policy, model, finding });
        process.stdout.write(`${renderChecked({ policy, model, finding })}\n`);
      }
    });
    process.stdout.write(`${renderSummary(checked, planned.length, { ...bounds, spurious: args.spurious })}\n`);
    if (interrupted) return EXIT.interrupted;
    if (checked.some(({ finding }) => finding.kind === 'broken')) return EXIT.thresholdFailed;
    return checked.some(({ finding }) => finding.kind === 'outgrown') ? EXIT.inconclusive : EXIT.ok;
  } finally {
    await pool.end();
  }
}

async function replay(pool: CheckPool, policies: readonly PolicySpec[], text: string): Promise<number> {
  const [policy, ...others] = policies;
  if (policy === undefined || others.length > 0) throw new UsageError('--replay needs the one policy it is of');
  const ended = await pool.run(policy, { kind: 'replay', text });
  if (ended.kind !== 'answered') {
    const finding = findingOf(ended);
    if (finding === null) return EXIT.interrupted;
    process.stdout.write(`${renderChecked({ policy: policy.label, model: '', finding })}\n`);
    return EXIT.thresholdFailed;
  }
  if (ended.answer === undefined) throw new UsageError(`--replay: «${text}» is no schedule of ${policy.label}`);
  process.stdout.write(`${renderReplayed(ended.answer)}\n`);
  return ended.answer.broken === null ? EXIT.ok : EXIT.thresholdFailed;
}

/** What an exploration found, however it ended; null if it was interrupted. */
function findingOf(ended: Ended<Finding> | Exclude<Ended<unknown>, { kind: 'answered' }>): Finding | null {
  switch (ended.kind) {
    case 'answered':
      return ended.answer;
    case 'interrupted':
      return null;
    case 'stuck': {
      const message = `${ended.where} loops without a yield, or waits for something that is not in its words`;
      return { kind: 'broken', property: 'well-formed', message, replay: '', schedule: [] };
    }
    case 'out of memory':
      return { kind: 'outgrown', message: 'more states than fit into memory', states: 0 };
  }
}

async function readPolicies(texts: readonly string[]): Promise<PolicySpec[]> {
  const wanted = texts.length === 0 ? Object.keys(POLICIES) : split(texts);
  return Promise.all(wanted.map((text) => readPolicy(text)));
}

/** The models meant by numbers of threads, or by what they do. */
async function readModels(spec: PolicySpec, texts: readonly string[]): Promise<string[]> {
  const policy = await loadPolicy(spec);
  return split(texts).flatMap((text) => {
    if (/^[2-4]$/.test(text)) return modelsFor({ policy, options: spec.options }, Number(text)).map(formatModel);
    const model = parseModel(text);
    if (model !== undefined) return [formatModel(model)];
    throw new UsageError(`--threads is a number from 2 to 4, or up to four threads such as io2+cpu1@-1, not «${text}»`);
  });
}
