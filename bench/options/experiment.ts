/** What a run that is measured and one that is simulated are asked in the same words: what runs under what, and what is sent. */
import { POLICIES } from '../../lock/policies/index.ts';
import { MAX_PRIORITY, MIN_PRIORITY, type PolicySpec } from '../../lock/policy-spec.ts';
import { SPINNER_KINDS } from '../../server/protocol.ts';
import { EDITOR, TALK_SERVERS } from '../../server/servers.ts';
import { UsageError } from '../exit-codes.ts';
import { SCENARIOS, type Scenario, type Workload } from '../result/result.ts';
import { DEFAULTS, GUI_DEFAULTS, GUI_POLICIES } from './bench.ts';
import { readPolicies } from './policies.ts';
import { formatSize } from './size.ts';
import { duration, list, size, wholeNumber } from './values.ts';

/** As yargs read them; where one is left out a default of the scenario stands in. */
export interface ExperimentArguments {
  readonly scenario: readonly string[];
  readonly server?: readonly string[] | undefined;
  readonly policy?: readonly string[] | undefined;
  readonly messages?: string | undefined;
  readonly size?: string | undefined;
  readonly delay?: string | undefined;
  readonly warmup?: string | undefined;
  readonly 'max-message': string;
  readonly 'spinner-kind': string;
  readonly 'spinner-priority': string;
  readonly 'keep-lock-on': string;
}

/** The same, checked. */
export interface Experiment {
  readonly scenarios: readonly Scenario[];
  readonly servers: readonly string[];
  readonly policies: readonly PolicySpec[];
  readonly exchange: Pick<
    Workload,
    'messages' | 'payloadBytes' | 'delayNs' | 'warmupMessages' | 'maxMessageBytes' | 'spinnerKind'
  >;
}

/**
 * Checks them.
 *
 * @param defaults in place of those of `bench`, for scenarios other than gui
 * @throws UsageError which says what is wrong and what would be right
 */
export async function readExperiment(
  args: ExperimentArguments,
  defaults: Partial<Record<keyof typeof DEFAULTS, string>> = {},
): Promise<Experiment> {
  const scenarios = list('scenario', args.scenario, SCENARIOS);
  const gui = scenarios.includes('gui');
  if (gui && scenarios.length > 1)
    throw new UsageError('--scenario gui is a run by itself: its messages are key strokes');
  if (gui && args.server !== undefined)
    throw new UsageError('--scenario gui has a server of its own: leave --server out');
  const otherwise = gui ? GUI_DEFAULTS : { ...DEFAULTS, ...defaults };
  const exchange = {
    messages: wholeNumber('messages', args.messages ?? otherwise.messages, 1, 10_000_000),
    payloadBytes: size('size', args.size ?? otherwise.size, 0, 2 ** 30),
    delayNs: duration('delay', args.delay ?? otherwise.delay, 0, 60e9),
    warmupMessages: wholeNumber('warmup', args.warmup ?? otherwise.warmup, 0, 1_000_000),
    maxMessageBytes: size('max-message', args['max-message'], 1, 2 ** 30),
    spinnerKind: list('spinner-kind', [args['spinner-kind']], SPINNER_KINDS)[0] ?? 'fib',
  };
  if (exchange.payloadBytes > exchange.maxMessageBytes) {
    throw new UsageError(
      `--size ${formatSize(exchange.payloadBytes)} is more than --max-message ${formatSize(exchange.maxMessageBytes)}, which servers refuse`,
    );
  }
  const policies = await readPolicies(args.policy ?? (gui ? GUI_POLICIES : Object.keys(POLICIES)), {
    spinnerPriority: wholeNumber('spinner-priority', args['spinner-priority'], MIN_PRIORITY, MAX_PRIORITY),
    keepLockOn: list('keep-lock-on', [args['keep-lock-on']], ['nothing', 'nonblocking'] as const)[0] ?? 'nothing',
  });
  return {
    scenarios,
    servers: gui ? [EDITOR] : list('server', args.server ?? TALK_SERVERS, TALK_SERVERS),
    policies,
    exchange,
  };
}
