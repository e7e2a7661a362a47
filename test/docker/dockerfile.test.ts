/** The Dockerfile, as far as it can be held to something without an engine. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Copy, DockerfileParser, type From, type Instruction } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import { CONTROL_PORT, ECHO_PORT, packedFiles, ROOT, read } from './files.ts';

const text = read('docker/Dockerfile');
const dockerfile = DockerfileParser.parse(text);
const { version, engines } = JSON.parse(read('package.json')) as { version: string; engines: { node: string } };

interface Stage {
  readonly name: string;
  readonly from: string;
  readonly instructions: Instruction[];
}

const stages: Stage[] = [];
for (const instruction of dockerfile.getInstructions()) {
  if (instruction.getKeyword() === 'FROM') {
    const from = instruction as From;
    stages.push({ name: from.getBuildStage() ?? '', from: from.getImage() ?? '', instructions: [] });
  } else {
    stages.at(-1)?.instructions.push(instruction);
  }
}

function stage(name: string): Stage {
  const found = stages.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no stage ${name}`);
  return found;
}

/** What a stage ends up with: its own instructions after those it builds on. */
function lineage(name: string): Instruction[] {
  const { from, instructions } = stage(name);
  return [...(stages.some((each) => each.name === from) ? lineage(from) : []), ...instructions];
}

/** The arguments of the last instruction of a kind, as one text. */
function last(name: string, keyword: string): string {
  return (
    lineage(name)
      .filter((instruction) => instruction.getKeyword() === keyword)
      .at(-1)
      ?.getRawArgumentsContent() ?? ''
  );
}

describe('the Dockerfile', () => {
  it('is one', () => {
    expect(validate(text).map(({ message }) => message)).toEqual([]);
  });

  it('has the Node of .nvmrc, which is one the package allows, on the Debian the tests run on', () => {
    const [, minimum = ''] = /^>=(20\.\d+)$/.exec(engines.node) ?? [];
    const pinned = read('.nvmrc').trim();
    expect(pinned).toMatch(/^20\.\d+\.\d+$/);
    expect(Number(pinned.split('.')[1])).toBeGreaterThanOrEqual(Number(minimum.split('.')[1]));
    const arguments_ = dockerfile.getInitialARGs().map((instruction) => instruction.getRawArgumentsContent());
    expect(arguments_).toEqual([`NODE_VERSION=${pinned}`]);
    const own = stages.map(({ name }) => name);
    const images = stages.map(({ from }) => from).filter((from) => !own.includes(from));
    expect(images.length).toBeGreaterThan(1);
    for (const image of images) expect(image).toMatch(/^node:\$\{NODE_VERSION\}-bookworm-slim$/);
  });

  it('copies what there is', () => {
    const copies = stages.flatMap(({ instructions }) =>
      instructions.filter((instruction) => instruction.getKeyword() === 'COPY'),
    );
    expect(copies.length).toBeGreaterThan(4);
    for (const copy of copies as Copy[]) {
      const sources = copy
        .getArguments()
        .slice(0, -1)
        .map((argument) => argument.getValue());
      const from = copy.getFromFlag()?.getValue();
      for (const source of sources) {
        if (from === undefined || from === null) expect(existsSync(join(ROOT, source)), source).toBe(true);
        else expect(source.startsWith(last(from, 'WORKDIR')), `${source} in ${from}`).toBe(true);
      }
    }
  });

  it('keeps out of the build what the build makes itself, and secrets', () => {
    expect(read('.dockerignore').split('\n')).toEqual(
      expect.arrayContaining(['node_modules', 'dist', '.git', 'docker/token']),
    );
    for (const path of ['package.json', 'package-lock.json']) expect(read('.dockerignore')).not.toContain(path);
  });

  it('starts a program that is in the package', () => {
    const link = stage('runtime').instructions.find((instruction) => instruction.toString().includes('ln -s'));
    const [, program = ''] = /ln -s \/convoy\/(\S+) \/usr\/local\/bin\/convoy/.exec(link?.toString() ?? '') ?? [];
    expect(packedFiles()).toContain(program);
    expect(JSON.parse(read('package.json'))).toMatchObject({ bin: { convoy: program } });
    expect(last('package', 'RUN')).toContain(`chmod 755 package/${program}`);
    expect(read(program)).toMatch(/^#!\/usr\/bin\/env node\n/);
    for (const name of ['command', 'server']) expect(last(name, 'ENTRYPOINT')).toBe('["tini", "--", "convoy"]');
  });

  it('has no build tools in what it makes, and no dependency that only builds or tests', () => {
    const runs = lineage('command')
      .filter((instruction) => instruction.getKeyword() === 'RUN')
      .map((instruction) => instruction.getRawArgumentsContent() ?? '')
      .join('\n');
    expect([...runs.matchAll(/apt-get install [^&]*/g)].map(String)).toEqual([
      expect.stringMatching(/--no-install-recommends tini\s/),
    ]);
    expect(runs).not.toMatch(/\b(npm|npx|yarn) (ci|install|run|pack)/);
    for (const manager of ['npm', 'npx', 'corepack', 'yarn']) expect(runs).toContain(`/usr/local/bin/${manager}`);
    const installed = stage('dependencies').instructions.find((instruction) => instruction.getKeyword() === 'RUN');
    expect(installed?.getRawArgumentsContent()).toBe('npm ci --omit=dev --ignore-scripts');
  });

  it.each(['command', 'server'])('makes %s that does not run as root, in a folder it may write to', (name) => {
    expect(last(name, 'USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(last(name, 'WORKDIR')).toBe('/results');
    const [uid] = last(name, 'USER').split(':');
    expect(text).toContain(`install --directory --owner=${uid} --group=${uid} /results`);
  });

  it('makes the command by default, and a server whose health check asks at the port it listens on', () => {
    expect(stages.at(-1)?.name).toBe('command');
    expect(last('command', 'HEALTHCHECK')).toBe('');
    expect(last('server', 'CMD')).toContain(`0.0.0.0:${CONTROL_PORT}`);
    expect(last('server', 'HEALTHCHECK')).toContain(`/dev/tcp/127.0.0.1/${CONTROL_PORT} `);
    expect(last('server', 'EXPOSE')).toBe(`${ECHO_PORT} ${CONTROL_PORT}`);
  });

  it('is labelled with the version of the package', () => {
    expect(last('command', 'LABEL')).toContain(`org.opencontainers.image.version="${version}"`);
  });
});
