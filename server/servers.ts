/** The echo servers there are. */
import type { EchoServer } from './echo-server.ts';

/** The server of the gui scenario; no server of the talk's tables. */
export const EDITOR = 'editor';

/** Name → how to load it, in the order of the talk's tables. To add a server, write its file and name it here. */
export const SERVERS: Readonly<Record<string, () => Promise<{ default: EchoServer }>>> = {
  native: () => import('./native.ts'),
  zeromq: () => import('./zeromq.ts'),
  multiprocessing: () => import('./multiprocessing.ts'),
  blocking: () => import('./blocking.ts'),
  nonblocking: () => import('./nonblocking.ts'),
  editor: () => import('./editor.ts'),
};

/** The servers of the talk, in the order of its tables. */
export const TALK_SERVERS: readonly string[] = Object.keys(SERVERS).filter((name) => name !== EDITOR);

/** @throws Error if there is none of that name */
export async function loadServer(name: string): Promise<EchoServer> {
  const load = SERVERS[name];
  if (load === undefined) throw new Error(`there is no server «${name}»`);
  return (await load()).default;
}
