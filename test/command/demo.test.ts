/** The demo without a browser: who may use it, what it understands, how it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ProcessState } from '../../bench/demo/messages.ts';
import { EXIT } from '../../bench/exit-codes.ts';
import { POLICIES } from '../../lock/policies/index.ts';
import type { Convoy } from './convoy.ts';
import { ask, handshake, Page, startDemo } from './demo.ts';
import { runHere } from './run-here.ts';

/** The CPU thread (the third to be born) keeps the lock for good: the event loop waits, and its thread cannot be joined. */
const DEADLOCK = `
const LOCK = { FREE: 0, HELD: 1, LOST: 2 };
export default {
  name: 'deadlock', summary: 'the first CPU thread never gives the lock back', exclusive: true, options: {},
  words: { LOCKED: 'FREE 0, HELD 1, LOST 2' },
  rules({ LOCKED }) {
    return {
      *acquire(m, me) {
        const mine = me < 3 ? LOCK.HELD : LOCK.LOST;
        let found;
        while ((found = yield m.compareExchange(LOCKED, LOCK.FREE, mine)) !== LOCK.FREE) yield m.wait(LOCKED, found, Infinity);
      },
      *release(m, me) {
        if (me >= 3) return;
        yield m.store(LOCKED, LOCK.FREE);
        yield m.notify(LOCKED, 1);
      },
      yieldPoint: { kind: 'never' },
    };
  },
};
`;

let folder: string;
let run: Convoy;
let address: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-demo-'));
  writeFileSync(join(folder, 'deadlock.mjs'), DEADLOCK);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function start(...args: string[]): Promise<void> {
  ({ run, address } = await startDemo('--policy', `free-threaded,${join(folder, 'deadlock.mjs')}`, ...args));
}
/** For tests of what does not depend on CPU threads: they would take the CPU from it. */
const startIdle = () => start('--spinners', '0');

/** Nothing outlives it, however it ends. */
async function kill(): Promise<void> {
  run.process.kill('SIGKILL');
  await run.finished();
  expect(await run.leftovers()).toEqual([]);
}

/** Switches to a policy and waits until it runs. */
async function runs(page: Page, policy: string, spinners = 1): Promise<void> {
  await page.hear('hello');
  const from = page.heard.length;
  page.switchTo(policy, { spinners });
  const accept = ({ setup }: ProcessState) => setup.policy === policy && setup.spinners === spinners;
  await page.hear('state', ({ state }) => state.kind === 'running' && accept(state), from);
}

describe('the page', () => {
  beforeAll(startIdle);
  afterAll(kill);

  it('is served to whoever knows the whole address, and to nobody else', async () => {
    expect(await ask(address)).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    const { status, body } = await ask(address, { path: '/' });
    expect(status).toBe(403);
    expect(body).toContain('the whole address');
    expect(await ask(address, { path: `/${'0'.repeat(32)}/` })).toMatchObject({ status: 403 });
    expect(await ask(address, { path: `${new URL(address).pathname}../../package.json` })).toMatchObject({
      status: 404,
    });
    expect(await ask(address, { method: 'POST' })).toMatchObject({ status: 405 });
  });

  it('lets nothing in from elsewhere, and is not kept', async () => {
    for (const path of [undefined, '/', `${new URL(address).pathname}main.js`]) {
      const { headers } = await ask(address, path === undefined ? {} : { path });
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|\*|https/);
      expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    }
    expect((await ask(address)).body).not.toMatch(/<style|style=|<script(?! type="module" src="main.js">)|https?:/);
  });

  it('is not served under the name of another host, which a foreign site could point here', async () => {
    const { port } = new URL(address);
    expect(await ask(address, { headers: { host: `localhost:${port}` } })).toMatchObject({ status: 200 });
    const { status, body } = await ask(address, { headers: { host: `rebound.example:${port}` } });
    expect(status).toBe(403);
    expect(body).toContain('rebound.example');
  });
});

describe('the socket', () => {
  beforeAll(startIdle);
  afterAll(kill);

  it('refuses foreign origins', async () => {
    const { origin, port } = new URL(address);
    for (const foreign of ['https://elsewhere.example', `http://127.0.0.1:${Number(port) + 1}`, 'null', null]) {
      expect(await handshake(address, foreign), String(foreign)).toBe(403);
    }
    expect(await handshake(address, 'http://rebound.example', 'rebound.example')).toBe(403);
    expect(await handshake(address.replace(/\w{32}/, '0'.repeat(32)), origin)).toBe(403);
    expect(await handshake(address, origin)).toBe('accepted');
  });

  it.each([
    ['no JSON', 'key'],
    ['an unknown type', { type: 'shutdown' }],
    ['a key without text', { type: 'key', id: 0, text: '' }],
    ['a key of too much text', { type: 'key', id: 0, text: 'a'.repeat(17) }],
    ['one field too many', { type: 'key', id: 0, text: 'a', lag: 0 }],
    ['more CPU threads than there may be', { type: 'setup', setup: { policy: 'py32', spinners: 9, priority: 0 } }],
    ['a policy by its path', { type: 'setup', setup: { policy: './mine.mjs', spinners: 1, priority: 0 } }],
    ['bytes', Buffer.from([0])],
  ])('ends a conversation with %s', async (_, message) => {
    const page = new Page(address);
    await page.hear('hello');
    page.send(message);
    expect((await page.ended).code).toBe(1008);
  });

  it('ends a conversation with a message that is too long', async () => {
    const page = new Page(address);
    await page.hear('hello');
    page.send('x'.repeat(5_000));
    expect((await page.ended).code).toBe(1009);
  });

  it('ends a flood, and has the next conversation', async () => {
    const page = new Page(address);
    await runs(page, 'free-threaded', 0);
    for (let key = 0; key < 10_000; key++) page.press('x');
    const { code, reason } = await page.ended;
    expect(code).toBe(1008);
    expect(reason).toMatch(/too many/);
    const next = new Page(address);
    await next.state('running', 'free-threaded');
    expect(await next.type('a')).toMatchObject({ text: 'a' });
  });

  it('belongs to one page at a time: the newest', async () => {
    const first = new Page(address);
    await runs(first, 'free-threaded', 0);
    const second = new Page(address);
    expect(await first.ended).toEqual({ code: 4000, reason: 'the demo was opened in another tab' });
    await second.state('running', 'free-threaded');
    expect(run.processes('server')).toHaveLength(1);
  });
});

describe('the event loop', () => {
  beforeAll(() => start());
  afterAll(kill);

  it('answers every key, in their order, with the text they had', async () => {
    const page = new Page(address);
    await runs(page, 'free-threaded');
    const text = [...'naïve ∀ 日本 👩‍🚀\n\b'];
    for (const key of text) page.press(key);
    await page.hear('painted', ({ id }) => id === text.length - 1);
    const painted = page.heard.filter((message) => message.type === 'painted');
    expect(painted.map((key) => key.text)).toEqual(text);
    expect(painted.map(({ id }) => id)).toEqual([...text.keys()]);
    for (const { loopMs } of painted) expect(loopMs).toBeGreaterThan(0);
  });

  it('runs under any policy there is, and the one that was given', async () => {
    const page = new Page(address);
    const { policies } = await page.hear('hello');
    expect(policies.map(({ label }) => label)).toEqual([...Object.keys(POLICIES), 'deadlock']);
    const withPriorities = policies.filter(({ hasPriorities }) => hasPriorities);
    expect(withPriorities.map(({ label }) => label)).toEqual(['priority', 'deadlock']);
    for (const policy of Object.keys(POLICIES)) await runs(page, policy);
    expect(run.processes('server')).toHaveLength(1);
  });

  it('tells who held the lock, and how much of the time it was a CPU thread', async () => {
    const page = new Page(address);
    await runs(page, 'py32', 2);
    for (let reading = 0; reading < 20; reading++) {
      const { lock } = await page.hear('lock', () => true, page.heard.length);
      expect(lock.threads.filter(({ role }) => role === 'spinner')).toHaveLength(2);
      const held = (column: number) => lock.threads.reduce((sum, { runs }) => sum + (runs[column] ?? 0), 0);
      // One at a time: never more than the whole of a column, but for rounding.
      for (const column of lock.threads[0]?.runs.keys() ?? []) expect(held(column)).toBeLessThanOrEqual(102);
      expect(lock.spinnersHold, `reading ${reading}: ${JSON.stringify(lock)}`).toBeGreaterThan(0);
      expect(lock.spinnersHold).toBeLessThanOrEqual(1);
    }
  });

  it('does without CPU threads', async () => {
    const page = new Page(address);
    await runs(page, 'py32', 0);
    expect(await page.type('a')).toMatchObject({ text: 'a', counted: true });
    expect(
      (await page.hear('lock', ({ lock }) => lock.threads.every(({ role }) => role === 'server'))).lock,
    ).toMatchObject({
      spinnersHold: null,
    });
  });

  it('can be switched while it starves; its keys wait for the next one and do not count', async () => {
    const page = new Page(address);
    await runs(page, 'deadlock');
    const id = page.press('a');
    await delay(200);
    page.switchTo('priority');
    await page.state('running', 'priority');
    const { text } = await page.hear('notice');
    expect(text).toContain('deadlock did not end when it was told to');
    expect(await page.hear('painted', (painted) => painted.id === id)).toMatchObject({ text: 'a', counted: false });
    expect(await page.type('b')).toMatchObject({ counted: true });
    expect(run.processes('server')).toHaveLength(1);
  });

  it('can be switched while it starts, as often as one likes: the last wish counts', async () => {
    const page = new Page(address);
    await page.hear('hello');
    for (const policy of ['py32', 'deadlock', 'pypy16', 'py27', 'priority']) {
      page.switchTo(policy);
      await delay(40);
    }
    await page.state('running', 'priority');
    expect(await page.type('a')).toMatchObject({ text: 'a' });
    expect(run.processes('server')).toHaveLength(1);
  });

  it('that dies is told of, and can be started again', async () => {
    const page = new Page(address);
    await runs(page, 'free-threaded');
    process.kill(run.processes('server')[0] as number, 'SIGKILL');
    const { state } = await page.state('failed', 'free-threaded');
    expect(state).toMatchObject({ message: expect.stringContaining('ended by SIGKILL') });
    await runs(page, 'free-threaded');
    expect(await page.type('a')).toMatchObject({ text: 'a' });
  });

  it('goes away with its page, and the next page finds the setting of the last', async () => {
    const page = new Page(address);
    await runs(page, 'pypy16', 2);
    page.press('a');
    // As a tab that crashes: without a word.
    page.socket.terminate();
    await run.until(() => run.processes('server').length === 0);
    const next = new Page(address);
    expect((await next.hear('hello')).setup).toEqual({ policy: 'pypy16', spinners: 2, priority: -1 });
    await next.state('running', 'pypy16');
  });
});

describe('the end', () => {
  beforeEach(async () => {
    ({ run, address } = await startDemo('--policy', 'pypy16'));
  });
  afterEach(kill);

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s ends everything, under a policy that starves too',
    async (signal) => {
      const page = new Page(address);
      await page.state('running', 'pypy16');
      page.press('a');
      run.process.kill(signal);
      expect(await page.ended).toEqual({ code: 1001, reason: 'the demo has ended' });
      expect((await run.finished()).code).toBe(EXIT.ok);
      expect(await run.leftovers()).toEqual([]);
    },
  );

  it('comes whatever a peer that was refused the socket sent after that', async () => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(address).port), allowHalfOpen: true });
    socket.write('GET / HTTP/1.1\r\nHost: of.others\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toContain('403');
    socket.on('error', () => {});
    socket.write('unread');
    socket.end();
    run.process.kill('SIGTERM');
    expect((await run.finished()).code).toBe(EXIT.ok);
    socket.destroy();
  });

  it('comes when the process that started it is gone', async () => {
    const main = resolve(import.meta.dirname, '../../dist/bench/main.js');
    const start = "require('child_process').spawn(process.execPath, process.argv.slice(1), { stdio: 'inherit' })";
    const parent = spawn(process.execPath, ['-e', start, '--', main, 'demo'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    const orphan = String(printed).trim();
    const page = new Page(orphan);
    await page.state('running', 'py32');
    parent.kill('SIGKILL');
    expect(await page.ended).toMatchObject({ code: 1001 });
    const deadline = Date.now() + 10_000;
    while (
      Date.now() < deadline &&
      (await ask(orphan).then(
        () => true,
        () => false,
      ))
    )
      await delay(50);
    await expect(ask(orphan)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('bad input', () => {
  it('a port that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const { code, stderr, stdout } = await runHere('demo', '--port', `${port}`);
    taken.close();
    expect(stderr).toContain(`port ${port}: it is taken`);
    expect(stdout).toBe('');
    expect(code).toBe(EXIT.usage);
  });

  it.each([
    [['--port', '65536'], '--port is a whole number'],
    [['--spinners', '9'], '--spinners is a whole number from 0 to 8'],
    [['--policy', 'py33'], 'there is no policy «py33»'],
    [['--policy', 'priority(spinner-priority=0)'], 'the page sets the priority'],
    [['--host', '0.0.0.0'], 'Unknown argument'],
  ])('%j is refused', async (args, why) => {
    const { code, stderr } = await runHere('demo', ...args);
    expect(stderr).toContain(why);
    expect(code).toBe(EXIT.usage);
  });
});
