/** The pictures of the documentation are those of the results beside them. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { drawPictures } from './pictures.ts';

it('are what `npm run pictures` draws of the recorded results', async () => {
  const pictures = await drawPictures();
  expect(pictures.length).toBeGreaterThan(1);
  for (const [path, svg] of pictures) expect(readFileSync(path, 'utf8') === svg, path).toBe(true);
});

it('need nothing from outside of themselves', async () => {
  for (const [, svg] of await drawPictures()) {
    expect(svg).not.toMatch(/<script|href=|@import|url\((?!#)/);
    expect(
      svg.replaceAll('xmlns="http://www.w3.org/2000/svg"', '').replaceAll(/xmlns:xlink="[^"]*"/g, ''),
    ).not.toContain('http');
  }
});

it.each(['README.md', 'docs/THE-TALK.md', 'docs/METHOD.md'])(
  'those that %s shows are among them, and say what they show',
  async (file) => {
    const shown = [...readFileSync(file, 'utf8').matchAll(/!\[([^\]]*)\]\((\S*pictures\/\S+)\)/g)];
    const drawn = (await drawPictures()).map(([path]) => path.split('/').at(-1));
    expect(shown.length).toBeGreaterThan(0);
    for (const [, text = '', path = ''] of shown) {
      expect(drawn).toContain(path.split('/').at(-1));
      expect(text.length).toBeGreaterThan(40);
    }
  },
);
