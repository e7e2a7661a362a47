/** The EC2 instance's first boot. cloud-init ignores a key that it does not know, so keys are held to those that are meant here. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { read, readYaml } from './files.ts';

const cloudConfigSchema = z.strictObject({
  package_update: z.boolean(),
  packages: z.array(z.string()),
  write_files: z.array(
    z.strictObject({
      path: z.string().startsWith('/'),
      permissions: z.string().regex(/^0[0-7]{3}$/),
      content: z.string(),
    }),
  ),
  /** Each a command with its arguments: nothing a shell could misread. */
  runcmd: z.array(z.array(z.string())),
});

describe('cloud-init.yaml', () => {
  const text = read('docker/ec2/cloud-init.yaml');
  const config = cloudConfigSchema.parse(readYaml('docker/ec2/cloud-init.yaml')[0]);

  it('says what it is in its first line, and fits into the user data of an instance', () => {
    expect(text.startsWith('#cloud-config\n')).toBe(true);
    expect(Buffer.byteLength(text)).toBeLessThan(16 * 1024);
  });

  it('first of all sees to it that a forgotten instance ends', () => {
    const [first = []] = config.runcmd;
    expect(first.slice(0, 2)).toEqual(['shutdown', '-P']);
    expect(first[2]).toMatch(/^\+\d+$/);
    expect(read('docker/ec2/README.md')).toContain('--instance-initiated-shutdown-behavior terminate');
  });

  it('runs programs that it wrote, or that every Ubuntu has', () => {
    const written = config.write_files.map(({ path }) => path);
    for (const [program = ''] of config.runcmd) {
      if (program.startsWith('/')) expect(written).toContain(program);
      else expect(['shutdown', 'usermod']).toContain(program);
    }
    for (const { permissions } of config.write_files) expect(permissions).toBe('0755');
  });

  it.each(config.write_files)('writes a script that a shell can read: $path', ({ content }) => {
    expect(content.startsWith('#!/bin/sh\n')).toBe(true);
    expect(spawnSync('sh', ['-n'], { input: content, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });

  it('installs the engine with what builds and composes', () => {
    expect(config.packages).toEqual(['docker.io', 'docker-compose-v2', 'docker-buildx']);
  });
});
