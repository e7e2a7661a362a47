/** Markup, written so that whatever is put into it is text unless it is markup already. */

/** Markup; only this file makes it of strings. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A text of the program's own, as it is: its style sheet, its script. */
export function trusted(text: string): Html {
  return new Html(text);
}

type Value = string | number | Html | readonly Html[];

/** A template: strings and numbers that stand in it are escaped. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(strings.map((text, i) => text + (i < values.length ? textOf(values[i] as Value) : '')).join(''));
}

function textOf(value: Value): string {
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(({ text }) => text).join('');
  return escapeHtml(String(value));
}

/** Of text between tags and inside of quoted attributes. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Data for the page's script. Without a `<` nothing in it can end the element. */
export function jsonScript(id: string, value: unknown): Html {
  return new Html(
    `<script type="application/json" id="${id}">${JSON.stringify(value).replaceAll('<', '\\u003c')}</script>`,
  );
}
