/**
 * How a stranger becomes a controller. Four messages:
 *
 *     controller → agent   hello: version, random bytes
 *     agent → controller   challenge: random bytes
 *     controller → agent   proof
 *     agent → controller   welcome: proof of its own
 *
 * The controller proves first: whoever only finds the port learns nothing that the token could be guessed by.
 */
import { randomBytes } from 'node:crypto';
import { ProtocolError } from '../../net/frame.ts';
import type { MessageStream } from '../../net/message-stream.ts';
import packageJson from '../../package.json' with { type: 'json' };
import {
  challengeSchema,
  type Hello,
  helloBodySchema,
  helloSchema,
  proofMessageSchema,
  type Refusal,
  welcomeSchema,
} from './protocol.ts';
import { CONTROL_VERSION, isSame, NONCE_BYTES, proofOf } from './token.ts';

/** A stranger, or an agent, that will not be spoken to. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly reason: Refusal['reason'];

  constructor(reason: Refusal['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * The agent's side. Whoever is refused is told so.
 *
 * @param mayCome called with the proof accepted, before the welcome: throws RefusedError while there is another controller
 * @throws RefusedError, or ProtocolError if the stranger speaks otherwise
 */
export async function admit(stream: MessageStream, token: string, mayCome: () => Promise<void>): Promise<void> {
  try {
    const hello = readHello(await stream.next());
    const nonce = randomBytes(NONCE_BYTES);
    stream.send({ kind: 'challenge', nonce });
    const nonces = { controller: hello.nonce, agent: nonce };
    const { proof } = understood(proofMessageSchema.safeParse(await stream.next()));
    if (!isSame(proof, proofOf(token, 'controller', nonces))) {
      throw new RefusedError('token', 'the token is not the same on both sides');
    }
    await mayCome();
    stream.send({ kind: 'welcome', proof: proofOf(token, 'agent', nonces) });
  } catch (error) {
    if (error instanceof RefusedError) {
      stream.send({ kind: 'refused', reason: error.reason, message: error.message } satisfies Refusal);
    }
    throw error;
  }
}

/**
 * The controller's side.
 *
 * @throws RefusedError if the agent refuses, or has not the token either; ProtocolError if it is none
 */
export async function introduce(stream: MessageStream, token: string): Promise<void> {
  const nonce = randomBytes(NONCE_BYTES);
  stream.send({ kind: 'hello', control: CONTROL_VERSION, convoy: packageJson.version, nonce } satisfies Hello);
  const challenge = understood(challengeSchema.safeParse(await stream.next()));
  if (challenge.kind === 'refused') throw new RefusedError(challenge.reason, challenge.message);
  const nonces = { controller: nonce, agent: challenge.nonce };
  stream.send({ kind: 'proof', proof: proofOf(token, 'controller', nonces) });
  const welcome = understood(welcomeSchema.safeParse(await stream.next()));
  if (welcome.kind === 'refused') throw new RefusedError(welcome.reason, welcome.message);
  if (!isSame(welcome.proof, proofOf(token, 'agent', nonces))) {
    throw new RefusedError('token', 'it has not the token itself: it is not the agent it should be');
  }
}

/** The version comes first: of another one nothing else is known. */
function readHello(message: unknown): Hello {
  const { control, convoy } = understood(helloSchema.safeParse(message));
  if (control !== CONTROL_VERSION || convoy !== packageJson.version) {
    throw new RefusedError(
      'version',
      `the agent is Convoy ${packageJson.version} (control ${CONTROL_VERSION}), the controller is Convoy ${convoy} (control ${control}): install the same on both`,
    );
  }
  return understood(helloBodySchema.safeParse(message));
}

function understood<T>(parsed: { success: true; data: T } | { success: false }): T {
  if (parsed.success) return parsed.data;
  throw new ProtocolError('it does not speak the control protocol of Convoy');
}
