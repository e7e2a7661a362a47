/**
 * A canvas that is as sharp as the screen, in the colours of the style sheet.
 *
 * Drawn by hand, without a chart library: two pictures that move ten times a second, one of which, columns of shares, no such library has.
 */

/** What a picture is drawn with: lengths are CSS pixels. */
export interface Surface {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  /** A custom property of the style sheet. */
  colour(name: string): string;
}

/** Clears the canvas and fits it to its place on the page; null while it has none. */
export function surfaceOf(canvas: HTMLCanvasElement): Surface | null {
  const { clientWidth: width, clientHeight: height } = canvas;
  const context = canvas.getContext('2d');
  if (context === null || width === 0 || height === 0) return null;
  const scale = window.devicePixelRatio;
  const [pixelWidth, pixelHeight] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
    canvas.width = pixelWidth;
    canvas.height = pixelHeight;
  }
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const style = getComputedStyle(canvas);
  return { context, width, height, colour: (name) => style.getPropertyValue(`--${name}`) };
}
