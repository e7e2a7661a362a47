/** `convoy demo`: a page in the browser, with an editor whose event loop shares the lock with CPU threads. Runs until it is told to end. */
import { fileURLToPath } from 'node:url';
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { loadPolicy } from '../../lock/load-policy.ts';
import { layOut } from '../../lock/memory.ts';
import { POLICIES } from '../../lock/policies/index.ts';
import { type PolicySpec, TALK_USE } from '../../lock/policy-spec.ts';
import { HttpServer } from '../demo/http-server.ts';
import { Live, type Offer } from '../demo/live.ts';
import { MAX_SPINNERS, type PolicyChoice } from '../demo/messages.ts';
import { readPageFiles } from '../demo/page-files.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { readPolicies } from '../options/policies.ts';
import { refuseRepeated, wholeNumber } from '../options/values.ts';
import { calibrated, readDefaultProfile } from '../profiles/interpreter-profile.ts';
import { SIGNALS } from '../run/interrupts.ts';
import { measureLeafAloneNs } from '../run/run.ts';

const OPTIONS = {
  policy: {
    type: 'string',
    array: true,
    default: ['py32'],
    describe:
      'the policy to begin with, and more to choose from beside the built-in ones: ./mine.js, py32(interval=1ms)',
  },
  spinners: { type: 'string', default: '1', describe: `CPU threads to begin with, 0 to ${MAX_SPINNERS}` },
  port: { type: 'string', default: '0', describe: 'port on 127.0.0.1; 0: any free one' },
} as const satisfies Record<string, Options>;

type DemoArguments = InferredOptionTypes<typeof OPTIONS>;

/** How often it looks whether the process that started it is still there. */
const PARENT_EVERY_MS = 500;

/** Adds the options to the command. */
export function withOptions(yargs: Argv): Argv<DemoArguments> {
  return yargs.options(OPTIONS).example([
    ['$0 demo', 'type, and switch from py32 to priority'],
    ['$0 demo --policy ./mine.js', 'feel a policy of your own'],
  ]);
}

/** Prints the address, and returns the exit code when Ctrl-C, or the end of the process that started it, has ended the demo. */
export async function run(args: DemoArguments): Promise<number> {
  refuseRepeated(args, OPTIONS);
  const port = wholeNumber('port', args.port, 0, 65_535);
  const spinners = wholeNumber('spinners', args.spinners, 0, MAX_SPINNERS);
  const [first] = await readPolicies(args.policy, TALK_USE);
  // Once more together with the built-in ones: none may have the name of another.
  const specs = await readPolicies([...Object.keys(POLICIES), ...args.policy], TALK_USE);
  const setup = { policy: first?.label ?? '', spinners, priority: -1 } as const;
  const { interpreterCostNs } = readDefaultProfile().parameters;
  const costs = { leafNs: measureLeafAloneNs(), interpreterCostNs };
  const live = new Live({ policies: await Promise.all(specs.map(offer)), setup, costs });
  const server = new HttpServer(await readPageFiles(), (request, socket, head) => live.accept(request, socket, head));
  const address = await listen(server, port);
  const told = untilToldToEnd();
  process.stdout.write(`${address}\n`);
  process.stderr.write('Open this address in a browser on this machine. Ctrl-C ends the demo.\n');
  await told;
  await Promise.all([live.close(), server.close()]);
  return EXIT.ok;
}

async function offer(spec: PolicySpec): Promise<Offer['policies'][number]> {
  const { label, spinnerPriority } = spec;
  if (spinnerPriority !== TALK_USE.spinnerPriority)
    throw new UsageError(`--policy ${label}: the page sets the priority of CPU threads; leave spinner-priority out`);
  return { choice: { label, ...(await describe(spec)) }, spec: calibrated(spec, readDefaultProfile(), false) };
}

/** A user's file is not loaded here, where nothing could stop it: whether it knows priorities it decides when it runs. */
async function describe(spec: PolicySpec): Promise<Omit<PolicyChoice, 'label'>> {
  if (spec.from.kind === 'file') return { summary: fileURLToPath(spec.from.url), hasPriorities: true };
  const { words, rules, summary } = await loadPolicy(spec);
  return { summary, hasPriorities: rules(layOut(words), spec.options).setPriority !== undefined };
}

async function listen(server: HttpServer, port: number): Promise<string> {
  try {
    return await server.listen(port);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'it is taken' : message;
    throw new UsageError(
      `the page cannot be served on port ${port}: ${why}; choose another --port, or leave it out for any free one`,
    );
  }
}

/** After the first signal the next one ends this process at once, as it ends any, and its children with it. */
function untilToldToEnd(): Promise<void> {
  const parent = process.ppid;
  return new Promise((resolve) => {
    const end = () => {
      clearInterval(watch);
      for (const signal of SIGNALS) process.off(signal, end);
      resolve();
    };
    const watch = setInterval(() => {
      if (process.ppid !== parent) end();
    }, PARENT_EVERY_MS);
    for (const signal of SIGNALS) process.on(signal, end);
  });
}
