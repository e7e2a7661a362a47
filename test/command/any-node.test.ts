/** What is simulated follows from the seed, the options and the program: not from the engine it runs on. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { NODE_VERSIONS, nodeBinary } from '../node-versions.ts';

const folder = mkdtempSync(join(tmpdir(), 'convoy-any-node-'));
afterAll(() => rmSync(folder, { recursive: true }));

const binaries = NODE_VERSIONS.map(nodeBinary).filter((binary) => binary !== null);

/** Every server under every policy, on machines that differ. */
const SWEEP = ['--cpus', '1,8', '--messages', '20', '--budget', '5s', '--seed', '11'];

it.skipIf(binaries.length < 2).each(['this-machine', 'c1.xlarge-2011'])(
  `the same seed gives the same bytes under every version of Node, profile %s (npm run test:nodes fetches them; ${binaries.length} here)`,
  async (profile) => {
    const results = new Set<string>();
    for (const binary of binaries) {
      const json = join(folder, 'result.json');
      const args = ['dist/bench/main.js', 'simulate', '--profile', profile, ...SWEEP, '--json', json];
      // Without the revision: it says whether the working copy was edited, which may be going on.
      await promisify(execFile)(binary, args, { env: { ...process.env, GIT_DIR: '/nowhere' } });
      results.add(readFileSync(json, 'utf8'));
    }
    expect(results.size).toBe(1);
  },
);
