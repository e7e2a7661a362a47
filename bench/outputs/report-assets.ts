/** What a report is made of beside the result, read from where the build put it. */
import { readFile } from 'node:fs/promises';
import type { Assets } from '../render/html/page.ts';

/** The built files; in the source tree only some of them are. */
const FOLDER = new URL('../render/html/', import.meta.url);

/** The page's script, in this order: each file uses only those before it. */
const MODULES = [
  'spans.js',
  'options/frame.js',
  'options/looks.js',
  'options/states.js',
  'options/bars.js',
  'options/percentiles.js',
  'options/over-time.js',
  'options/trade.js',
  'options/sweep.js',
  'options/messages.js',
  'options/timeline.js',
  'client/drawing.js',
  'client/timeline-view.js',
  'client/explorer.js',
  'client/page.js',
];

const read = (name: string) => readFile(new URL(name, FOLDER), 'utf8');

export async function readAssets(): Promise<Assets> {
  const [library, palette, page, ...modules] = await Promise.all(
    ['echarts.min.js', 'palette.css', 'page.css', ...MODULES].map(read),
  );
  return {
    library: library ?? '',
    styles: `${palette}\n${page}`,
    script: modules.map(withoutModules).join('\n'),
  };
}

/**
 * One scope instead of modules, for a page that loads nothing has nothing to import from. Top-level names of these files must
 * differ; a name that is there twice is a syntax error, which a test would see.
 */
function withoutModules(text: string): string {
  return text
    .replace(/^import\s[^;]*;$/gm, '')
    .replace(/^export (?=const|function|class|async)/gm, '')
    .replace(/^export \{\s*\};$/gm, '')
    .replace(/^\/\/# sourceMappingURL=.*$/gm, '')
    .replaceAll('</script', '<\\/script');
}
