/** As many clients as the machine's memory and descriptors allow within reason, all at once, and every echo compared byte for byte. */
import { expect, it } from 'vitest';
import { encodeFrame } from '../../net/frame.ts';
import { startServer } from '../processes.ts';
import { RawClient } from './raw-client.ts';

const PAYLOAD_BYTES = 1_000;
const MESSAGES = 3;
/** A thread takes a tenth of a second of a CPU to start. */
const TEST_MS = 180_000;

/** Different for every client and message, also where shifted: 251 is a prime. */
function frameOf(client: number, message: number): Buffer {
  const payload = Buffer.alloc(PAYLOAD_BYTES);
  for (let i = 0; i < PAYLOAD_BYTES; i++) payload[i] = (i * (message + 1)) % 251;
  payload.writeUInt32BE(client, 0);
  return encodeFrame(payload);
}

/** Clients whose echoes are not what they sent. */
async function wrongEchoes(clients: readonly RawClient[], message: number): Promise<number[]> {
  const right = await Promise.all(
    clients.map(async (client, i) => (await client.exchange(frameOf(i, message))).equals(frameOf(i, message))),
  );
  return right.flatMap((isRight, i) => (isRight ? [] : [i]));
}

it.each([
  ['nonblocking', 1_000, 'in one thread'],
  ['blocking', 200, 'a thread each'],
])('%s serves %i clients at once, %s, and every echo is exact', { timeout: TEST_MS }, async (name, count) => {
  const server = await startServer(name);
  const clients = await Promise.all(Array.from({ length: count }, () => RawClient.connect(server.port)));
  for (let message = 0; message < MESSAGES; message++) expect(await wrongEchoes(clients, message)).toEqual([]);
  // Half of them leave; the others must not notice.
  const [leaving, staying] = [clients.slice(0, count / 2), clients.slice(count / 2)];
  for (const client of leaving) client.end();
  await Promise.all(leaving.map((client) => client.ended()));
  expect(await wrongEchoes(staying, MESSAGES)).toEqual([]);
  expect(await server.stop()).toEqual([]);
});
