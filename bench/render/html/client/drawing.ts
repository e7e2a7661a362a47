/** From an option to a drawing that keeps the width of its element. */
import type { ECharts, EChartsOption } from 'echarts';

declare const echarts: typeof import('echarts');

/** Calls once, when an element comes near the part of the page that is seen. */
export function whenSeen(element: Element, then: () => void): void {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      then();
    },
    { rootMargin: '400px' },
  );
  observer.observe(element);
}

/**
 * Draws, and draws anew when the width changes.
 *
 * @param optionFor what is drawn at a width
 */
export function drawInto(element: HTMLElement, optionFor: (widthPx: number) => EChartsOption): ECharts {
  const chart = echarts.init(element, null, { renderer: 'svg' });
  let drawnPx = element.clientWidth;
  chart.setOption(optionFor(drawnPx));
  new ResizeObserver(() => {
    if (element.clientWidth === drawnPx || element.clientWidth === 0) return;
    drawnPx = element.clientWidth;
    chart.resize();
    chart.setOption(optionFor(drawnPx));
  }).observe(element);
  return chart;
}
