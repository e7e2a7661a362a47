/**
 * The control connection between a controller, `convoy bench --connect`, and an agent, `convoy serve --control`: what they say,
 * its limits and its times. docs/TWO-MACHINES.md has it byte for byte.
 */
import { z } from 'zod';
import { timelineSchema } from '../../lock/timeline-schema.ts';
import { replySchema } from '../../net/commands.ts';
import { serverCommands } from '../../server/protocol.ts';
import { referenceSpecSchema } from '../reference/interpreter.ts';
import { columnSchema, environmentSchema, measuredRoundSchema, workloadSchema } from '../result/result.ts';
import { NONCE_BYTES, PROOF_BYTES } from './token.ts';

/** Of one message before its sender has proved that it has the token. */
export const MAX_STRANGE_BYTES = 1_024;
/** Of one command. */
export const MAX_CALL_BYTES = 64 * 1_024;
/** Of one answer. The longest has the times of 2,000,000 calls, 24 bytes each. */
export const MAX_ANSWER_BYTES = 64 * 2 ** 20;

/** For a stranger to become a controller; a slow one is sent away. */
export const HANDSHAKE_MS = 5_000;
/** Strangers at a time; of more the one that came first is sent away. */
export const MAX_STRANGERS = 16;
/** How often the controller shows that it is there, and asks whether the agent is. */
export const HEARTBEAT_MS = 2_000;
/** After which a side that was not heard is taken to be gone. */
export const SILENCE_MS = 10_000;

/** What an interpreter may be asked for by: a command that can be nothing else. */
export const INTERPRETER_NAME = /^(auto|(python|pypy)\d*(\.\d+)?t?)$/;

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array);
const nonceSchema = bytes.refine(({ length }) => length === NONCE_BYTES);
const proofSchema = bytes.refine(({ length }) => length === PROOF_BYTES);

/** The controller's first words. Those of another version may say more, or less, than is known here. */
export const helloSchema = z.object({
  kind: z.literal('hello'),
  control: z.number().int(),
  convoy: z.string().max(64),
});
export const helloBodySchema = helloSchema.extend({ nonce: nonceSchema });
export type Hello = z.infer<typeof helloBodySchema>;

/** Why a stranger is sent away. `token`: its proof is wrong. */
export const refusalSchema = z.strictObject({
  kind: z.literal('refused'),
  reason: z.enum(['version', 'token', 'busy']),
  message: z.string(),
});
export type Refusal = z.infer<typeof refusalSchema>;

/** The agent's answer to hello. */
export const challengeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('challenge'), nonce: nonceSchema }),
  refusalSchema,
]);
/** The controller's answer to the challenge. */
export const proofMessageSchema = z.strictObject({ kind: z.literal('proof'), proof: proofSchema });
/** The agent's answer to the proof. */
export const welcomeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('welcome'), proof: proofSchema }),
  refusalSchema,
]);

/** Of a workload, what the server's side needs; whatever else is in it is not looked at. */
const { host, port, serverCpus, maxMessageBytes, peerTimeoutNs, interpreterCostNs, spinners, spinnerKind } =
  workloadSchema.shape;
const limits = { maxMessageBytes, peerTimeoutNs };
const sideWorkloadSchema = z.object({ host, serverCpus, ...limits, interpreterCostNs, spinners, spinnerKind });

/** One of the agent's processes; the controller numbers them. */
const sideSchema = z.strictObject({ side: z.number().int().nonnegative() });
const nothing = z.strictObject({});

/** Commands to the agent. From `open` to `kill` they are those of `bench/measure/server-side.ts`, to the process of that number. */
export const controlCommands = {
  /** Says that the controller is there. */
  ping: { request: nothing, answer: nothing },
  /** The time on the clock of the agent's machine. */
  clock: { request: nothing, answer: z.strictObject({ atNs: z.number() }) },
  /** The agent's machine, since the controller came. */
  environment: { request: nothing, answer: environmentSchema },
  /** Length of a leaf of interpreter work there. */
  leaf: { request: nothing, answer: z.strictObject({ leafNs: z.number().positive() }) },
  /** Looks for interpreters, by their commands' names. */
  references: {
    request: z.strictObject({ names: z.array(z.string().max(32)).max(64) }),
    answer: z.strictObject({ references: z.array(referenceSpecSchema) }),
  },
  /** Why servers could not run there as asked. */
  check: {
    request: z.strictObject({
      workload: z.object({ host, port, serverCpus }),
      /** Policies of the user's: their files' texts, as SHA-256, must be there too. */
      files: z.array(z.strictObject({ name: z.string(), url: z.string(), digest: z.string() })).max(256),
    }),
    answer: z.strictObject({ problems: z.array(z.string()) }),
  },
  /** Starts a process. */
  open: {
    request: sideSchema.extend({
      server: z.string(),
      policy: columnSchema,
      workload: sideWorkloadSchema,
      leafNs: z.number().positive(),
      what: z.string().max(64),
      port: z.number().int(),
      loggedCalls: z.number().int().nonnegative().max(2_000_000),
      records: z.boolean(),
    }),
    answer: nothing,
  },
  start: { request: sideSchema, answer: serverCommands.start.answer },
  spin: { request: sideSchema, answer: serverCommands.spin.answer },
  solo: { request: sideSchema, answer: serverCommands.solo.answer },
  begin: { request: sideSchema, answer: nothing },
  end: {
    request: sideSchema,
    answer: z.strictObject({
      reading: measuredRoundSchema.shape.reading.extend({ spinnerRounds: z.number() }),
      /** Doubles, little-endian, on the clock of the agent's machine. */
      calls: bytes.nullable(),
      /** On that clock, too. */
      timeline: timelineSchema.nullable(),
      timeouts: z.strictObject({ count: z.number(), tookNs: z.number() }).nullable(),
    }),
  },
  stop: { request: sideSchema, answer: serverCommands.stop.answer },
  /** Waits until the process has ended, and ends it if it does not in time. */
  ended: {
    request: sideSchema.extend({ timeoutMs: z.number().positive().max(60_000) }),
    answer: z.strictObject({ byItself: z.boolean() }),
  },
  kill: { request: sideSchema, answer: nothing },
} as const;

/** What the agent says: answers, and unasked that a process has ended. */
export const agentMessageSchema = z.union([
  replySchema,
  z.strictObject({ kind: z.literal('lost'), side: z.number().int(), message: z.string() }),
]);
export type AgentMessage = z.infer<typeof agentMessageSchema>;
