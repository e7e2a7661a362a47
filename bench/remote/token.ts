/**
 * The token that a controller and an agent share. It is never sent: each side proves that it has it with a MAC over random bytes of both
 * sides and its own role, so that what one connection shows is of no use on another, nor sent back to where it came from.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { UsageError } from '../exit-codes.ts';

/** The variable that holds it where no file is named. */
export const TOKEN_VARIABLE = 'CONVOY_TOKEN';
/** What a dictionary does not have. */
const MIN_TOKEN_LENGTH = 16;
const MAX_TOKEN_LENGTH = 4_096;

const ADVICE = 'make one with: head -c 32 /dev/urandom | base64 > token';

/** Raised with every change of what is said over a control connection. */
export const CONTROL_VERSION = 1;

/** Random bytes of each side. */
export const NONCE_BYTES = 32;
/** Of HMAC-SHA256. */
export const PROOF_BYTES = 32;

/**
 * Reads the token.
 *
 * @param file names the file; undefined: it is in {@link TOKEN_VARIABLE}
 * @throws UsageError if it is nowhere, or too short
 */
export async function readToken(file: string | undefined): Promise<string> {
  const token = (file === undefined ? process.env[TOKEN_VARIABLE] : await readTokenFile(file))?.trim();
  if (token === undefined) {
    throw new UsageError(`a control connection needs a token: --token-file FILE or ${TOKEN_VARIABLE}; ${ADVICE}`);
  }
  if (token.length < MIN_TOKEN_LENGTH || token.length > MAX_TOKEN_LENGTH) {
    throw new UsageError(
      `a token has ${MIN_TOKEN_LENGTH} to ${MAX_TOKEN_LENGTH} characters, not ${token.length}; ${ADVICE}`,
    );
  }
  return token;
}

async function readTokenFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--token-file: ${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

/** What a side sends to prove that it has the token. */
export function proofOf(
  token: string,
  role: 'controller' | 'agent',
  nonces: { readonly controller: Uint8Array; readonly agent: Uint8Array },
): Buffer {
  const mac = createHmac('sha256', token).update(`convoy control ${CONTROL_VERSION} ${role}\n`);
  return mac.update(nonces.controller).update(nonces.agent).digest();
}

/** Compares in a time that says nothing of where they differ. */
export function isSame(proof: Uint8Array, expected: Uint8Array): boolean {
  return proof.length === expected.length && timingSafeEqual(proof, expected);
}
