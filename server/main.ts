/** The process of one echo server and the CPU threads beside it: the only process that has a global lock. */
import { loadPolicy } from '../lock/load-policy.ts';
import { answerParent, failParent, leaveParent } from '../net/commands.ts';
import { serverCommands } from './protocol.ts';
import { ServerProcess } from './server-process.ts';

let server: ServerProcess | undefined;

function running(): ServerProcess {
  if (server === undefined) throw new Error('the server was not started');
  return server;
}

/** The lock is lost: says so, and ends. */
function fail(why: string, ended: Promise<unknown>): void {
  failParent(why);
  void ended.finally(leaveParent);
}

answerParent(serverCommands, {
  start: async (setup) => {
    server = new ServerProcess(setup, await loadPolicy(setup.policy), fail);
    return { port: await server.start() };
  },
  spin: async (setup) => {
    await running().spin(setup);
    return {};
  },
  solo: async () => ({ roundsPerSecond: await running().solo() }),
  begin: () => {
    running().begin();
    return {};
  },
  end: () => ({ reading: running().end(), calls: running().calls(), timeline: running().timelineOfRun() }),
  timeline: ({ sinceNs }) => running().timeline(sinceNs),
  stop: async () => {
    const connectionErrors = await running().stop();
    leaveParent();
    return { connectionErrors };
  },
});
