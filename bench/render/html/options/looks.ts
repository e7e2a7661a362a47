/**
 * Colour, dash and symbol of a look, so that no line is told from another by its colour alone. The colours are those of Okabe and
 * Ito, declared as CSS variables in `palette.css`, which the drawings name: they follow the page from light to dark.
 */

export interface Look {
  readonly colour: string;
  /** Lengths of strokes and gaps; none for a solid line. */
  readonly dash: readonly number[];
  /** An SVG path in a box of 10 × 10. */
  readonly symbol: string;
}

const COLOURS = 8;

const DASHES = [[6, 3], [], [2, 2], [10, 3, 2, 3], [1, 3], [12, 3], [4, 2, 1, 2]] as const;

/** Square, circle, triangle, diamond, cross, triangle upside down, bar, hexagon, star of four. */
const SYMBOLS = [
  'M1 1H9V9H1Z',
  'M5 0.5A4.5 4.5 0 1 1 5 9.5A4.5 4.5 0 1 1 5 0.5Z',
  'M5 0.5L9.7 9H0.3Z',
  'M5 0L10 5L5 10L0 5Z',
  'M3.5 0.5H6.5V3.5H9.5V6.5H6.5V9.5H3.5V6.5H0.5V3.5H3.5Z',
  'M5 9.5L9.7 1H0.3Z',
  'M0 3H10V7H0Z',
  'M2.5 0.7H7.5L10 5L7.5 9.3H2.5L0 5Z',
  'M5 0L6.3 3.7L10 5L6.3 6.3L5 10L3.7 6.3L0 5L3.7 3.7Z',
] as const;

/** @param look a number from 0, as `looksOf` gives it */
export function lookOf(look: number): Look {
  return {
    colour: `var(--look-${look % COLOURS})`,
    dash: DASHES[look % DASHES.length] ?? [],
    symbol: SYMBOLS[look % SYMBOLS.length] ?? '',
  };
}
