/** Who becomes a controller, and who does not. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { admit, introduce, RefusedError } from '../../../bench/remote/handshake.ts';
import { CONTROL_VERSION, isSame, proofOf } from '../../../bench/remote/token.ts';
import { MessageStream } from '../../../net/message-stream.ts';
import packageJson from '../../../package.json' with { type: 'json' };

const TOKEN = 'correct horse battery staple';
const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

async function streams(): Promise<{ controller: MessageStream; agent: MessageStream }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const other = await accepted;
  server.close();
  open.push(socket, other);
  return { controller: new MessageStream(socket, 1_024), agent: new MessageStream(other, 1_024) };
}

const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: Error) => error.message,
  );
const welcome = async () => {};

describe('a stranger', () => {
  it('with the token is welcome', async () => {
    const { controller, agent } = await streams();
    const admitted = admit(agent, TOKEN, welcome);
    await introduce(controller, TOKEN);
    await admitted;
  });

  it('with another token is refused, and told so', async () => {
    const { controller, agent } = await streams();
    const admitted = reasonOf(admit(agent, TOKEN, welcome));
    expect(await reasonOf(introduce(controller, `${TOKEN}!`))).toBe('the token is not the same on both sides');
    expect(await admitted).toBe('the token is not the same on both sides');
  });

  it.each([
    [{ control: CONTROL_VERSION + 1, convoy: packageJson.version }, /control 2/],
    [{ control: CONTROL_VERSION, convoy: '99.0.0' }, /Convoy 99\.0\.0/],
  ])('of another version is told which: %j', async (version, said) => {
    const { controller, agent } = await streams();
    const admitted = reasonOf(admit(agent, TOKEN, welcome));
    controller.send({ kind: 'hello', ...version, whatever: 'is new there' });
    expect(await controller.next()).toMatchObject({
      kind: 'refused',
      reason: 'version',
      message: expect.stringMatching(said),
    });
    expect(await admitted).toMatch(/install the same on both/);
  });

  it('who comes while another is there is told who', async () => {
    const { controller, agent } = await streams();
    const admitted = reasonOf(
      admit(agent, TOKEN, async () => {
        throw new RefusedError('busy', 'another controller is there: 10.0.0.9:1');
      }),
    );
    expect(await reasonOf(introduce(controller, TOKEN))).toBe('another controller is there: 10.0.0.9:1');
    expect(await admitted).toBe('another controller is there: 10.0.0.9:1');
  });

  it('who repeats what another controller said is refused: the challenge is another one', async () => {
    const proofs: Uint8Array[] = [];
    for (const replayed of [false, true]) {
      const { controller, agent } = await streams();
      const admitted = reasonOf(admit(agent, TOKEN, welcome));
      const nonce = Buffer.alloc(32, 7);
      controller.send({ kind: 'hello', control: CONTROL_VERSION, convoy: packageJson.version, nonce });
      const challenge = (await controller.next()) as { nonce: Buffer };
      if (!replayed) proofs.push(proofOf(TOKEN, 'controller', { controller: nonce, agent: challenge.nonce }));
      controller.send({ kind: 'proof', proof: proofs[0] });
      expect(await admitted).toBe(replayed ? 'the token is not the same on both sides' : 'none');
    }
  });

  it.each([
    ['nothing', null],
    ['a number', 7],
    ['a command at once', { id: 1, command: 'ping', request: {} }],
    ['a hello without random bytes', { kind: 'hello', control: CONTROL_VERSION, convoy: packageJson.version }],
    [
      'few random bytes',
      { kind: 'hello', control: CONTROL_VERSION, convoy: packageJson.version, nonce: Buffer.alloc(4) },
    ],
  ])('who says %s is no controller', async (_, message) => {
    const { controller, agent } = await streams();
    const admitted = reasonOf(admit(agent, TOKEN, welcome));
    controller.send(message);
    expect(await admitted).toBe('it does not speak the control protocol of Convoy');
  });
});

describe('an agent', () => {
  it('that has not the token itself is found out', async () => {
    const { controller, agent } = await streams();
    const introduced = reasonOf(introduce(controller, TOKEN));
    await agent.next();
    agent.send({ kind: 'challenge', nonce: Buffer.alloc(32) });
    const { proof } = (await agent.next()) as { proof: Buffer };
    // All it can do is to send back what it was sent.
    agent.send({ kind: 'welcome', proof });
    expect(await introduced).toMatch(/has not the token itself/);
  });

  it('that is none is found out', async () => {
    const { controller, agent } = await streams();
    const introduced = reasonOf(introduce(controller, TOKEN));
    agent.send({ hello: 'world' });
    expect(await introduced).toBe('it does not speak the control protocol of Convoy');
  });
});

it('a proof depends on the token, on the role and on the bytes of both sides', () => {
  const a = Buffer.alloc(32, 1);
  const b = Buffer.alloc(32, 2);
  const proof = proofOf(TOKEN, 'controller', { controller: a, agent: b });
  expect(isSame(proof, proofOf(TOKEN, 'controller', { controller: a, agent: b }))).toBe(true);
  for (const other of [
    proofOf(`${TOKEN} `, 'controller', { controller: a, agent: b }),
    proofOf(TOKEN, 'agent', { controller: a, agent: b }),
    proofOf(TOKEN, 'controller', { controller: b, agent: a }),
    proofOf(TOKEN, 'controller', { controller: a, agent: a }),
    proof.subarray(1),
  ]) {
    expect(isSame(proof, other)).toBe(false);
  }
});
