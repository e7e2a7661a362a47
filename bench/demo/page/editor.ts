/**
 * The text box. The browser is kept from changing it: each key is sent away, and what it does is done when its answer comes, at the place
 * where the caret is by then, as an event loop does with the keys in its queue.
 */

/** What a key says to the event loop, by the browser's name for what it would do. */
const CONTROL_KEYS: Readonly<Record<string, string>> = {
  insertLineBreak: '\n',
  insertParagraph: '\n',
  deleteContentBackward: '\b',
  deleteContentForward: '\x7f',
};
/** A stretch of text longer than that was not typed. */
const MAX_KEY_LENGTH = 16;
const MAX_TEXT_LENGTH = 4_000;

export class Editor {
  readonly #box: HTMLTextAreaElement;

  /** @param onKey is given each key, and when it was pressed, by the clock of `performance.now()` */
  constructor(box: HTMLTextAreaElement, onKey: (text: string, pressedMs: number) => void) {
    this.#box = box;
    box.addEventListener('beforeinput', (event) => {
      // An input method composes in the box itself and cannot be kept from it.
      if (event.isComposing) return;
      event.preventDefault();
      const text = event.inputType === 'insertText' ? event.data : (CONTROL_KEYS[event.inputType] ?? null);
      if (text !== null && text.length <= MAX_KEY_LENGTH) onKey(text, event.timeStamp);
    });
    let before = '';
    box.addEventListener('compositionstart', () => {
      before = box.value;
    });
    // What was composed is taken back, and typed.
    box.addEventListener('compositionend', ({ data, timeStamp }) => {
      box.value = before;
      if (data !== '' && data.length <= MAX_KEY_LENGTH) onKey(data, timeStamp);
    });
  }

  /** Does what an answered key does. */
  paint(text: string): void {
    const box = this.#box;
    const [start, end] = [box.selectionStart, box.selectionEnd];
    const isSelected = start < end;
    if (text === '\b')
      box.setRangeText('', isSelected ? start : start - lastLength(box.value.slice(0, start)), end, 'end');
    else if (text === '\x7f')
      box.setRangeText('', start, isSelected ? end : end + firstLength(box.value.slice(end)), 'end');
    else box.setRangeText(text, start, end, 'end');
    if (box.value.length > MAX_TEXT_LENGTH) box.setRangeText('', 0, box.value.length - MAX_TEXT_LENGTH / 2);
    if (box.selectionEnd === box.value.length) box.scrollTop = box.scrollHeight;
  }

  /** Nothing can be typed any more. */
  close(): void {
    this.#box.readOnly = true;
  }
}

/** Of the last character, in code units. */
function lastLength(text: string): number {
  return [...text.slice(-2)].at(-1)?.length ?? 0;
}

/** Of the first. */
function firstLength(text: string): number {
  return [...text.slice(0, 2)][0]?.length ?? 0;
}
