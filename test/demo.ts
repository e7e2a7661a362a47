/** `convoy demo` for the scripts: its process, and a browser that asks for the page again and again. */
import { startConvoy } from './running-convoy.ts';

export async function openDemo() {
  const demo = await startConvoy(['demo', '--port', '0']);
  const address = demo.line;
  const page = async () => {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`the page was answered with ${response.status}`);
    return response.text();
  };
  return Object.assign(demo, {
    port: Number(new URL(address).port),
    async connect() {
      const first = await page();
      return {
        async trips(count: number): Promise<readonly number[]> {
          const rttNs: number[] = [];
          while (rttNs.length < count) {
            const askedMs = performance.now();
            if ((await page()) !== first) throw new Error('the page is another');
            rttNs.push((performance.now() - askedMs) * 1e6);
          }
          return rttNs;
        },
        stop: () => Promise.resolve(),
      };
    },
  });
}
