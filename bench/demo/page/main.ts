/**
 * The page: keys out, answers in, and pictures of both ten times a second. It draws no oftener than that, and nothing at all while it is
 * hidden: its own drawing would compete for the CPUs with the threads it shows.
 */
import type { FromPage, ProcessState, ToPage } from '../messages.ts';
import { fillControls } from './controls.ts';
import { byId } from './dom.ts';
import { Editor } from './editor.ts';
import { describeSetup, showFigures, showLast, showResults } from './figures.ts';
import { formatMs } from './format.ts';
import { drawLagStrip } from './lag-strip.ts';
import { LockLanes } from './lock-lanes.ts';
import { TypedKeys } from './typed-keys.ts';

const DRAW_EVERY_MS = window.matchMedia('(prefers-reduced-motion: reduce)').matches ? 1_000 : 100;
/** A key without an answer for so long is news, once. */
const SLOW_MS = 1_000;

const typed = new TypedKeys();
const lanes = new LockLanes(byId('lanes', HTMLElement));
const strip = byId('strip', HTMLCanvasElement);
const socket = new WebSocket(new URL('socket', location.href.replace(/^http/, 'ws')));
const editor = new Editor(byId('box', HTMLTextAreaElement), press);
let maxWaitingKeys = 0;
let withPriorities: readonly string[] = [];
const hasPriorities = (policy: string) => withPriorities.includes(policy);
/** The key whose slowness was told. */
let toldOfMs: number | null = null;
/** What happened on the way to this setting. */
let notice = '';
/** The setting, and since when it runs; `Infinity`: not yet, or no more. */
let running = { name: '', sinceMs: Infinity };

function send(message: FromPage): void {
  socket.send(JSON.stringify(message));
}

function press(text: string, pressedMs: number): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  if (typed.waiting >= maxWaitingKeys) {
    tell(`${typed.waiting} keys wait for their answer. What you type now is lost.`, true);
    return;
  }
  send({ type: 'key', id: typed.press(pressedMs), text });
}

/** Says something, to a screen reader too. */
function tell(text: string, isAlert = false): void {
  const status = byId('status', HTMLElement);
  // Said again, it would be read out again.
  if (status.textContent !== text) status.textContent = text;
  status.classList.toggle('alert', isAlert);
}

function hear(message: ToPage): void {
  switch (message.type) {
    case 'hello':
      maxWaitingKeys = message.maxWaitingKeys;
      withPriorities = message.policies.filter(({ hasPriorities }) => hasPriorities).map(({ label }) => label);
      fillControls(message, (setup) => send({ type: 'setup', setup }));
      break;
    case 'state':
      showState(message.state);
      break;
    case 'notice':
      notice = `${message.text} `;
      break;
    case 'painted': {
      editor.paint(message.text);
      const lagMs = typed.answer(message, performance.now());
      if (lagMs !== null) showLast(lagMs);
      if (toldOfMs !== null && typed.oldestMs !== toldOfMs) tellOfSetting();
      break;
    }
    case 'lock':
      if (!document.hidden) lanes.add(message.lock);
      if (message.lock.spinnersHold !== null) typed.hold(message.lock.spinnersHold, performance.now());
      break;
  }
}

function showState(state: ProcessState): void {
  const name = describeSetup(state.setup, hasPriorities(state.setup.policy));
  byId('setting', HTMLElement).textContent = name;
  byId('again', HTMLButtonElement).hidden = state.kind !== 'failed';
  toldOfMs = null;
  running = { name, sinceMs: Infinity };
  switch (state.kind) {
    case 'starting':
      tell(`${notice}Starting ${name}. What you type meanwhile waits.`, notice !== '');
      break;
    case 'running':
      typed.switchTo(state.setup, performance.now());
      lanes.clear();
      running.sinceMs = performance.now();
      tellOfSetting();
      notice = '';
      break;
    case 'ending':
      tell(`Ending ${name}.`);
      break;
    case 'failed':
      tell(`${name} has failed: ${state.message}`, true);
      break;
  }
}

function tellOfSetting(): void {
  toldOfMs = null;
  tell(`${notice}${running.name}: running.`, notice !== '');
}

function tellOfSlowness(nowMs: number): void {
  const { oldestMs } = typed;
  if (oldestMs === null || toldOfMs !== null) return;
  // A key that waited for the switch may wait as long again.
  if (nowMs - Math.max(oldestMs, running.sinceMs) < SLOW_MS) return;
  toldOfMs = oldestMs;
  tell(`No answer for more than ${formatMs(SLOW_MS)}. You can still switch to another policy.`, true);
}

function farewell({ code, reason }: CloseEvent): void {
  clearInterval(drawing);
  editor.close();
  for (const fieldset of document.querySelectorAll('fieldset')) fieldset.disabled = true;
  if (code === 4000) tell('The demo goes on in another tab. Reload this page to have it here.', true);
  else if (code === 1008)
    tell(`The demo has ended this conversation: ${reason}. Reload the page to begin another.`, true);
  else tell('The demo has ended. Start convoy demo again, and open the address it prints.', true);
}

const drawing = setInterval(() => {
  if (document.hidden) return;
  const nowMs = performance.now();
  drawLagStrip(strip, typed, nowMs);
  showFigures(typed, nowMs);
  showResults(typed, hasPriorities);
  tellOfSlowness(nowMs);
}, DRAW_EVERY_MS);

// From the server that served this program: the types are its own.
socket.addEventListener('message', ({ data }) => hear(JSON.parse(data) as ToPage));
socket.addEventListener('close', farewell);
