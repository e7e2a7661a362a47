/** The Kubernetes manifests, against the schemas of the API and against each other. */
import { readdirSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EXIT } from '../../bench/exit-codes.ts';
import { callOf } from './command-lines.ts';
import { CONTROL_PORT, ECHO_PORT, ROOT, readYaml } from './files.ts';
import { problemsOf } from './kubernetes-schema.ts';

const FOLDER = 'docker/kubernetes';

const containerSchema = z.looseObject({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
  resources: z.object({
    requests: z.object({ cpu: z.string(), memory: z.string() }),
    limits: z.object({ cpu: z.string(), memory: z.string() }),
  }),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() })),
});
const podSchema = z.looseObject({
  nodeSelector: z.record(z.string(), z.string()).optional(),
  containers: z.array(containerSchema),
  volumes: z.array(
    z.looseObject({
      name: z.string(),
      secret: z.object({ secretName: z.string(), defaultMode: z.number() }).optional(),
      persistentVolumeClaim: z.object({ claimName: z.string() }).optional(),
    }),
  ),
});
const manifestSchema = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), labels: z.record(z.string(), z.string()) }),
  spec: z.looseObject({}),
});
type Manifest = z.infer<typeof manifestSchema>;

const manifests = readdirSync(join(ROOT, FOLDER)).flatMap((file) =>
  readYaml(`${FOLDER}/${file}`).map((document) => ({ file, manifest: manifestSchema.parse(document) })),
);

function named(kind: string, name: string): Manifest {
  const found = manifests.find(({ manifest }) => manifest.kind === kind && manifest.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found.manifest;
}

/** The pod that a manifest starts, and the labels it gets. */
function podOf(manifest: Manifest) {
  const template = z
    .object({ template: z.object({ metadata: manifestSchema.shape.metadata.omit({ name: true }), spec: podSchema }) })
    .safeParse(manifest.spec);
  if (template.success) return { ...template.data.template.spec, labels: template.data.template.metadata.labels };
  const pod = podSchema.safeParse(manifest.spec);
  return pod.success ? { ...pod.data, labels: manifest.metadata.labels } : undefined;
}

const pods = manifests.flatMap(({ manifest }) => {
  const pod = podOf(manifest);
  return pod === undefined ? [] : [{ name: manifest.metadata.name, pod }];
});
const podNamed = (name: string) => {
  const found = pods.find((each) => each.name === name)?.pod;
  const [container] = found?.containers ?? [];
  if (found === undefined || container === undefined) throw new Error(`no pod ${name}`);
  return { ...found, container };
};

describe('a manifest', () => {
  it.each(manifests)(
    'of $file, $manifest.kind $manifest.metadata.name, is one by the schemas of the API',
    ({ manifest }) => {
      expect(problemsOf(manifest)).toEqual([]);
    },
  );

  it('with a typing error, a wrong type or a missing field is none', () => {
    const job = (spec: object) => ({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'x' }, spec });
    const containers = [{ name: 'x', image: 'x' }];
    expect(problemsOf(job({ template: { spec: { containers } } }))).toEqual([]);
    expect(problemsOf(job({ template: { spec: { containers } }, completion: 8 }))).toEqual([
      '/spec/completion is no field of Job',
    ]);
    expect(problemsOf(job({ template: { spec: { containers: [{ ...containers[0], arg: [] }] } } }))).toEqual([
      '/spec/template/spec/containers/0/arg is no field of Job',
    ]);
    expect(problemsOf(job({ template: { spec: { containers } }, completions: 'eight' }))).toHaveLength(1);
    expect(problemsOf(job({}))).toHaveLength(1);
  });
});

describe.each(pods)('the pod of $name', ({ name, pod }) => {
  it('is allowed nothing but to run', () => {
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        runAsGroup: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      },
    });
    for (const container of pod.containers) {
      expect(container).toMatchObject({
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      });
    }
  });

  it('gets what it asks for, and whole CPUs where it computes', () => {
    for (const { resources } of pod.containers) {
      expect(resources.limits).toEqual(resources.requests);
      if (name !== 'convoy-results') expect(resources.limits.cpu).toMatch(/^[1-9]\d*$/);
    }
  });

  it('mounts volumes that it has, of claims that there are', () => {
    for (const { volumeMounts } of pod.containers) {
      expect(volumeMounts.map((mount) => mount.name).toSorted()).toEqual(
        pod.volumes.map((volume) => volume.name).toSorted(),
      );
    }
    for (const { persistentVolumeClaim } of pod.volumes) {
      if (persistentVolumeClaim !== undefined) named('PersistentVolumeClaim', persistentVolumeClaim.claimName);
    }
  });
});

describe('server and client', () => {
  const { selector, ports } = z
    .looseObject({ selector: z.record(z.string(), z.string()), ports: z.array(z.object({ port: z.number() })) })
    .parse(named('Service', 'convoy-server').spec);
  const server = podNamed('convoy-server');
  const client = podNamed('convoy-bench');

  it('are on two nodes', () => {
    expect(server.nodeSelector).toEqual({ 'convoy/role': 'server' });
    expect(client.nodeSelector).toEqual({ 'convoy/role': 'client' });
  });

  it('meet at the ports of the service, which the network policy opens to the client alone', () => {
    expect(server.labels).toMatchObject(selector);
    const open = ports.map(({ port }) => port);
    expect(open).toEqual([ECHO_PORT, CONTROL_PORT]);
    expect(server.container.ports.map(({ containerPort }) => containerPort)).toEqual(open);
    expect(server.container.args).toEqual(expect.arrayContaining(['--control', `0.0.0.0:${CONTROL_PORT}`]));
    expect(client.container.args).toEqual(
      expect.arrayContaining(['--connect', `convoy-server:${CONTROL_PORT}`, '--port', `${ECHO_PORT}`]),
    );
    expect(named('NetworkPolicy', 'convoy-server').spec).toMatchObject({
      podSelector: { matchLabels: selector },
      ingress: [
        {
          from: [{ podSelector: { matchLabels: client.labels } }],
          ports: open.map((port) => ({ protocol: 'TCP', port })),
        },
      ],
    });
  });

  it('have the same token, which the group of the user may read and others may not', () => {
    const tokens = [server, client].map(({ volumes, container }) => {
      const secret = volumes.find((volume) => volume.secret !== undefined);
      const mount = container.volumeMounts.find((each) => each.name === secret?.name);
      const file = container.args?.[container.args.indexOf('--token-file') + 1];
      expect(mount?.readOnly).toBe(true);
      expect(file).toMatch(new RegExp(`^${mount?.mountPath}/`));
      return { ...secret?.secret, file };
    });
    expect(tokens[0]).toEqual(tokens[1]);
    expect(tokens[0]?.defaultMode).toBe(0o440);
  });

  it('are tried again only while the server cannot be reached', () => {
    expect(named('Job', 'convoy-bench').spec).toMatchObject({
      podFailurePolicy: {
        rules: [
          { action: 'FailJob', onExitCodes: { containerName: 'bench', operator: 'NotIn', values: [EXIT.unavailable] } },
        ],
      },
    });
  });
});

describe('the sweep', () => {
  it('has as many parts as pods, each once, and leaves them where they are merged from', () => {
    const { completions, completionMode } = z
      .looseObject({ completions: z.number(), completionMode: z.string() })
      .parse(named('Job', 'convoy-sweep').spec);
    expect(completionMode).toBe('Indexed');
    const { command = [], args = [] } = podNamed('convoy-sweep').container;
    const lines = Array.from({ length: completions }, (_, index) =>
      callOf([...command, ...args], { JOB_COMPLETION_INDEX: `${index}` }),
    );
    const parts = Array.from({ length: completions }, (_, part) => part + 1);
    expect(lines.map((line) => valueIn(line, '--shard'))).toEqual(parts.map((part) => `${part}/${completions}`));
    const paths = parts.map((part) => `/results/sweep/${part}.json`);
    expect(lines.map((line) => valueIn(line, '--json'))).toEqual(paths);
    const merge = podNamed('convoy-merge').container;
    const [, from = ''] = callOf([...(merge.command ?? []), ...(merge.args ?? [])], {});
    expect(from).toBe(join(dirname(paths[0] ?? ''), `*${extname(paths[0] ?? '')}`));
  });
});

const valueIn = (line: readonly string[], option: string) => line[line.indexOf(option) + 1];
