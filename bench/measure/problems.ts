/** What keeps servers from running on this machine as they are asked to, known before one is started. */
import { close, type Endpoint, listen } from '../../net/posix.ts';
import { SystemError } from '../../net/system-error.ts';
import { whyNotOn } from '../processes/cpu-list.ts';
import type { Workload } from '../result/result.ts';

const PORT_ADVICE = 'choose another --port, or leave it out for any free one';

/** Why servers could not run on this machine as asked. */
export async function problemsHere({
  serverCpus,
  host,
  port,
}: Pick<Workload, 'serverCpus' | 'host' | 'port'>): Promise<string[]> {
  const why = serverCpus === undefined ? null : whyNotOn(serverCpus);
  return [why === null ? null : `--server-cpus: ${why}`, whyNotListen({ host, port })].filter((each) => each !== null);
}

/** Why servers cannot listen there, and what to do; null if they can. */
function whyNotListen({ host, port }: Endpoint): string | null {
  try {
    close(listen({ host, port }));
    return null;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const why = error.code === 'EADDRINUSE' ? 'it is taken' : error.message;
    return `the servers cannot listen on ${host} port ${port}: ${why}; ${PORT_ADVICE}`;
  }
}
