/** compose.yaml. A key that is not named here is a typing error: Compose itself would refuse it, and nothing here runs Compose. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { DockerfileParser } from 'dockerfile-ast';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseCpuList } from '../../bench/processes/cpu-list.ts';
import { CONTROL_PORT, ROOT, read, readYaml } from './files.ts';

/** A container that may do nothing but run. */
const sealed = {
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
  tmpfs: z.tuple([z.string().regex(/^\/tmp:(?=.*\bnoexec\b)(?=.*\bnosuid\b)(?=.*\bsize=)/)]),
  networks: z.array(z.string()),
  secrets: z.array(z.string()),
  restart: z.literal('no'),
  image: z.string(),
  build: z.strictObject({ context: z.string(), dockerfile: z.string(), target: z.string() }),
  command: z.array(z.string()),
  /** `${NAME:-0-3}`: the default counts here. */
  cpuset: z
    .string()
    .regex(/^\$\{\w+:-[\d,-]+\}$/)
    .transform((variable) => parseCpuList(variable.replace(/^.*:-|\}$/g, '')) ?? []),
};

const composeSchema = z.strictObject({
  name: z.string(),
  'x-sealed': z.unknown(),
  services: z.strictObject({
    server: z.strictObject(sealed),
    client: z.strictObject({
      ...sealed,
      depends_on: z.strictObject({ server: z.strictObject({ condition: z.literal('service_healthy') }) }),
      volumes: z.array(z.string()),
    }),
  }),
  networks: z.strictObject({ lab: z.strictObject({ internal: z.literal(true) }) }),
  volumes: z.strictObject({ results: z.strictObject({}) }),
  secrets: z.strictObject({ token: z.strictObject({ file: z.string() }) }),
});

describe('compose.yaml', () => {
  const { services, ...rest } = composeSchema.parse(readYaml('docker/compose.yaml')[0]);
  const { server, client } = services;

  it('keeps server and client on CPUs of their own, of the eight that the talk had', () => {
    expect([...server.cpuset, ...client.cpuset].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('builds stages that there are', () => {
    const folder = resolve(ROOT, 'docker');
    for (const { build } of [server, client]) {
      const dockerfile = resolve(folder, build.context, build.dockerfile);
      expect(existsSync(dockerfile)).toBe(true);
      const stages = DockerfileParser.parse(read(build.dockerfile))
        .getFROMs()
        .map((from) => from.getBuildStage());
      expect(stages).toContain(build.target);
    }
    expect(server.image).not.toBe(client.image);
  });

  it('lets them meet on a network without a way out, by a name and a port', () => {
    expect(server.networks).toEqual(Object.keys(rest.networks));
    expect(client.networks).toEqual(server.networks);
    expect(server.command.slice(0, 3)).toEqual(['serve', '--control', `0.0.0.0:${CONTROL_PORT}`]);
    expect(client.command.slice(0, 3)).toEqual(['bench', '--connect', `server:${CONTROL_PORT}`]);
  });

  it('gives both the same token, from a file that is not in the repository', () => {
    const token = `/run/secrets/${Object.keys(rest.secrets)[0]}`;
    for (const { command, secrets } of [server, client]) {
      expect(command[command.indexOf('--token-file') + 1]).toBe(token);
      expect(secrets).toEqual(Object.keys(rest.secrets));
    }
    const ignored = resolve(ROOT, 'docker', rest.secrets.token.file).slice(ROOT.length + 1);
    expect(read('.gitignore').split('\n')).toContain(ignored);
    expect(read('.dockerignore').split('\n')).toContain(ignored);
  });

  it('leaves the results on the volume', () => {
    const [volume = '', folder = ''] = client.volumes[0]?.split(':') ?? [];
    expect(Object.keys(rest.volumes)).toEqual([volume]);
    for (const option of ['--json', '--markdown']) {
      expect(client.command[client.command.indexOf(option) + 1]).toMatch(new RegExp(`^${folder}/`));
    }
  });
});
