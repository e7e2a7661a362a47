/** Every `convoy` line in docker/, in files and in pages, given to the real command: it must know every option. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DockerfileParser, type JSONInstruction } from 'dockerfile-ast';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EXIT } from '../../bench/exit-codes.ts';
import { runHere } from '../command/run-here.ts';
import { callOf, callsInPage } from './command-lines.ts';
import { ROOT, read, readYaml } from './files.ts';

const commandSchema = z.looseObject({ command: z.array(z.string()).optional(), args: z.array(z.string()).optional() });
const podSchema = z.looseObject({ containers: z.array(commandSchema) });

/** The containers of a manifest, if it starts any. */
function containersOf(manifest: unknown): z.infer<typeof commandSchema>[] {
  const template = z.looseObject({ spec: z.looseObject({ template: z.looseObject({ spec: podSchema }) }) });
  const started = template.safeParse(manifest);
  if (started.success) return started.data.spec.template.spec.containers;
  const pod = z.looseObject({ spec: podSchema }).safeParse(manifest);
  return pod.success ? pod.data.spec.containers : [];
}

/** Where a call is written, and its arguments. */
type Written = readonly [where: string, call: readonly string[]];

const inDockerfile = DockerfileParser.parse(read('docker/Dockerfile'))
  .getCMDs()
  .map((cmd): Written => {
    const strings = (cmd as JSONInstruction).getJSONStrings().map((each) => each.getJSONValue());
    return ['Dockerfile', strings];
  });

const { services } = z
  .looseObject({ services: z.record(z.string(), z.looseObject({ command: z.array(z.string()) })) })
  .parse(readYaml('docker/compose.yaml')[0]);
const inCompose = Object.values(services).map(({ command }): Written => ['compose.yaml', command]);

const inManifests = readdirSync(join(ROOT, 'docker/kubernetes')).flatMap((file) =>
  readYaml(`docker/kubernetes/${file}`)
    .flatMap(containersOf)
    .map(({ command = [], args = [] }) => callOf([...command, ...args], { JOB_COMPLETION_INDEX: '0' }))
    .filter(([program]) => program !== 'sleep')
    .map((call): Written => [file, call]),
);

const inPages = ['README.md', 'ec2/README.md'].flatMap((page) =>
  callsInPage(`docker/${page}`, { INSIDE: '127.0.0.1' }).map((call): Written => [page, call]),
);

describe('the command lines in docker/', () => {
  it('are found', () => {
    const lines = [...inDockerfile, ...inCompose, ...inManifests, ...inPages].map(([where]) => where);
    const counts = Object.fromEntries(
      [...new Set(lines)].map((where) => [where, lines.filter((line) => line === where).length]),
    );
    expect(counts).toEqual({
      Dockerfile: 1,
      'compose.yaml': 2,
      'client.yaml': 1,
      'merge.yaml': 1,
      'server.yaml': 1,
      'sweep.yaml': 1,
      'README.md': 6,
      'ec2/README.md': 5,
    });
  });

  // One option more than there is: the command names all that it does not know, and starts nothing.
  it.each([...inDockerfile, ...inCompose, ...inManifests, ...inPages])('%s: convoy %s', async (_, call) => {
    const { code, stderr } = await runHere(...call, '--one-more', '1');
    expect(stderr.split('\n')[0]).toBe('convoy: Unknown arguments: one-more, oneMore');
    expect(code).toBe(EXIT.usage);
  });
});
