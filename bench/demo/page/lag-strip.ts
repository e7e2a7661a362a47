/** The lag of each key over the last half minute, on a logarithmic axis: a policy that starves makes a thousand times the lag of one that does not. */
import { type Surface, surfaceOf } from './canvas.ts';
import type { TypedKeys } from './typed-keys.ts';

const SHOWN_MS = 30_000;
const TICKS_EVERY_MS = 10_000;
const [LEAST_MS, MOST_MS] = [1, 10_000];
const TICKS = [
  { ms: 1, name: '1 ms' },
  { ms: 10, name: '10 ms' },
  { ms: 100, name: '100 ms' },
  { ms: 1_000, name: '1 s' },
  { ms: 10_000, name: '10 s' },
];
/** What a lag means to a hand and an eye. */
const MARKS = [
  { ms: 1_000 / 60, name: '16.7 ms', says: 'one frame of the screen' },
  { ms: 100, name: '100 ms', says: 'feels instant up to here' },
  { ms: 1_000, name: '1 s', says: 'breaks the train of thought' },
];
const MARGIN = { top: 20, right: 10, bottom: 22, left: 58 };
const FONT = '12px system-ui, sans-serif';
/** Between a line and a name. */
const GAP = 5;
/** Below that a mark has no room to say what it means. */
const NARROW = 480;
const DOT_RADIUS = 2.6;

/** Draws the strip as it is now. */
export function drawLagStrip(canvas: HTMLCanvasElement, typed: TypedKeys, nowMs: number): void {
  const surface = surfaceOf(canvas);
  if (surface === null) return;
  const { context, width, height, colour } = surface;
  const [right, bottom] = [width - MARGIN.right, height - MARGIN.bottom];
  const x = (atMs: number) => right - ((nowMs - atMs) / SHOWN_MS) * (right - MARGIN.left);
  const y = (lagMs: number) => {
    const share = Math.log(Math.min(MOST_MS, Math.max(LEAST_MS, lagMs)) / LEAST_MS) / Math.log(MOST_MS / LEAST_MS);
    return bottom - share * (bottom - MARGIN.top);
  };
  drawAxes(surface, x, y, nowMs);

  const fromMs = nowMs - SHOWN_MS;
  for (const key of typed.keys) {
    if (key.pressedMs < fromMs) continue;
    if (key.lagMs === null) {
      context.fillStyle = colour('waits');
      const top = y(nowMs - key.pressedMs);
      context.fillRect(x(key.pressedMs) - 1, top, 2, bottom - top);
    } else {
      context.fillStyle = colour('runs');
      context.beginPath();
      context.arc(x(key.pressedMs), y(key.lagMs), DOT_RADIUS, 0, 2 * Math.PI);
      context.fill();
    }
  }
  drawSwitches(surface, typed, x, fromMs);
}

function drawAxes(surface: Surface, x: (atMs: number) => number, y: (lagMs: number) => number, nowMs: number): void {
  const { context, width, height, colour } = surface;
  const right = width - MARGIN.right;
  context.font = FONT;
  context.lineWidth = 1;
  context.fillStyle = colour('muted');
  context.strokeStyle = colour('line');
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const { ms, name } of TICKS) {
    line(context, MARGIN.left, y(ms), right, y(ms));
    context.fillText(name, MARGIN.left - 8, y(ms));
  }
  context.textBaseline = 'bottom';
  for (let agoMs = 0; agoMs <= SHOWN_MS; agoMs += TICKS_EVERY_MS) {
    context.textAlign = agoMs === 0 ? 'right' : agoMs === SHOWN_MS ? 'left' : 'center';
    context.fillText(agoMs === 0 ? 'now' : `−${agoMs / 1e3} s`, x(nowMs - agoMs), height);
  }
  context.textAlign = 'left';
  context.strokeStyle = colour('muted');
  context.setLineDash([2, 4]);
  for (const { ms, name, says } of MARKS) {
    line(context, MARGIN.left, y(ms), right, y(ms));
    context.fillText(width < NARROW ? name : `${name}: ${says}`, MARGIN.left + 6, y(ms) - 2);
  }
  context.setLineDash([]);
}

/** A line where another setting took over, and its name beside it where there is room. */
function drawSwitches(surface: Surface, typed: TypedKeys, x: (atMs: number) => number, fromMs: number): void {
  const { context, width, height, colour } = surface;
  context.fillStyle = colour('ink');
  context.strokeStyle = colour('ink');
  context.textBaseline = 'top';
  context.textAlign = 'left';
  for (const [i, { atMs, setup }] of typed.switches.entries()) {
    const next = typed.switches[i + 1];
    if (next !== undefined && next.atMs < fromMs) continue;
    const left = Math.max(MARGIN.left, x(atMs));
    if (atMs >= fromMs) line(context, left, 0, left, height - MARGIN.bottom);
    const nameWidth = context.measureText(setup.policy).width + 2 * GAP;
    const fits = left + nameWidth < (next === undefined ? width : x(next.atMs));
    if (fits) context.fillText(setup.policy, left + GAP, 2);
  }
}

function line(context: CanvasRenderingContext2D, fromX: number, fromY: number, toX: number, toY: number): void {
  context.beginPath();
  // In the middle of a pixel: a line on the edge of two is grey.
  context.moveTo(Math.round(fromX) + 0.5, Math.round(fromY) + 0.5);
  context.lineTo(Math.round(toX) + 0.5, Math.round(toY) + 0.5);
  context.stroke();
}
