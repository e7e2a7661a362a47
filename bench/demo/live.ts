/**
 * The conversation with the page. One page at a time: a second tab takes over, and the first is told. A page that goes away takes its
 * event loop with it, so that nobody's CPU is burnt for a tab that was closed; the next page finds the setting the last one had.
 *
 * Whoever has the address can send anything. A message that is not understood, is too long, or comes too fast ends the conversation,
 * as does a page that no longer reads.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { PolicySpec } from '../../lock/policy-spec.ts';
import {
  type DemoSetup,
  fromPageSchema,
  MAX_SPINNERS,
  MAX_WAITING_KEYS,
  type PolicyChoice,
  type ToPage,
} from './messages.ts';
import { RateLimit } from './rate-limit.ts';
import { type EditorCosts, Session } from './session.ts';

const MAX_MESSAGE_BYTES = 4_096;
/** Twice what a hand on a keyboard and a key held down make together. */
const MESSAGES_PER_SECOND = 60;
/** At once: the text a test types without a pause. */
const MESSAGES_AT_ONCE = 120;
/** A page that is that far behind gets no more pictures. */
const LATE_BYTES = 256 * 1024;
const LOST_BYTES = 8 * 1024 * 1024;

/** For a page to hear that it is over, and why: one that has sent a flood is busy with the answers. */
const FAREWELL_MS = 2_000;

/** Close codes; 4000 and up are ours. */
const CLOSE = { goingAway: 1001, refused: 1008, takenOver: 4000 } as const;

/** What a page is offered, and what its event loops run with. */
export interface Offer {
  readonly policies: readonly { readonly choice: PolicyChoice; readonly spec: PolicySpec }[];
  /** To begin with. */
  readonly setup: DemoSetup;
  readonly costs: EditorCosts;
}

interface Conversation {
  readonly page: WebSocket;
  readonly session: Session;
}

export class Live {
  readonly #offer: Offer;
  readonly #specs: ReadonlyMap<string, PolicySpec>;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  /** What was chosen last. */
  #setup: DemoSetup;
  #current: Conversation | undefined;
  /** The end of all event loops of pages that have gone: two at once would disturb each other. */
  #gone: Promise<unknown> = Promise.resolve();

  constructor(offer: Offer) {
    this.#offer = offer;
    this.#specs = new Map(offer.policies.map(({ choice, spec }) => [choice.label, spec]));
    this.#setup = offer.setup;
  }

  /** Takes a request for a WebSocket that has passed all checks. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#sockets.handleUpgrade(request, socket, head, (page) => this.#converse(page));
  }

  /** Says good-bye to the page, and ends its event loop. */
  async close(): Promise<void> {
    this.#leave(CLOSE.goingAway, 'the demo has ended');
    await this.#gone;
  }

  #converse(page: WebSocket): void {
    this.#leave(CLOSE.takenOver, 'the demo was opened in another tab');
    const session = new Session(this.#specs, this.#offer.costs, (message) => say(page, message), this.#gone);
    const conversation = { page, session };
    this.#current = conversation;
    const rate = new RateLimit(MESSAGES_PER_SECOND, MESSAGES_AT_ONCE, performance.now());
    page.on('message', (data, isBinary) => {
      if (this.#current !== conversation) return;
      const isSlow = rate.take(performance.now());
      const refused = isSlow ? this.#hear(session, isBinary ? '' : String(data)) : 'too many messages';
      if (refused !== null) this.#leave(CLOSE.refused, refused);
    });
    page.on('error', () => {
      // ws closes it, with the code that is meant for this error.
    });
    page.once('close', () => {
      if (this.#current === conversation) this.#leave(CLOSE.goingAway, '');
    });
    const policies = this.#offer.policies.map(({ choice }) => choice);
    const limits = { maxSpinners: MAX_SPINNERS, maxWaitingKeys: MAX_WAITING_KEYS };
    say(page, { type: 'hello', policies, setup: this.#setup, ...limits });
    session.switchTo(this.#setup);
  }

  /** @returns why the message is refused, or null */
  #hear(session: Session, text: string): string | null {
    const message = fromPageSchema.safeParse(parseOrNull(text));
    if (!message.success) return 'a message that is not understood';
    switch (message.data.type) {
      case 'key':
        return session.type(message.data.id, message.data.text) ? null : 'too many keys without an answer';
      case 'setup':
        if (!session.switchTo(message.data.setup)) return 'there is no such policy';
        this.#setup = message.data.setup;
        return null;
    }
  }

  #leave(code: number, reason: string): void {
    if (this.#current === undefined) return;
    const { page, session } = this.#current;
    this.#current = undefined;
    page.close(code, reason);
    const farewell = setTimeout(() => page.terminate(), FAREWELL_MS);
    page.once('close', () => clearTimeout(farewell));
    this.#gone = Promise.all([this.#gone, session.close()]);
  }
}

function say(page: WebSocket, message: ToPage): void {
  if (page.readyState !== page.OPEN) return;
  if (page.bufferedAmount > LOST_BYTES) page.terminate();
  else if (page.bufferedAmount < LATE_BYTES || message.type !== 'lock') page.send(JSON.stringify(message));
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
