import { describe, expect, it } from 'vitest';
import { startServer } from '../processes.ts';
import { findPython, runPython } from '../python.ts';

const PLAIN_SOCKETS = new URL('./python/plain_sockets.py', import.meta.url);
const CONNECTION = new URL('./python/multiprocessing_connection.py', import.meta.url);
const KIB = 1024;

describe.each(['python3', 'python2.7'])('a client in %s', (command) => {
  const python = findPython(command, 'socket', 'multiprocessing.connection') ?? '';

  it.skipIf(python === '').each(['blocking', 'nonblocking'])('is served by %s through plain sockets', async (name) => {
    const server = await startServer(name);
    expect(await runPython(python, PLAIN_SOCKETS, server.port, 0, 1, 8 * KIB, 16 * KIB + 1, KIB * KIB)).toBe('echoed');
    expect(await server.stop()).toEqual([]);
  });

  it.skipIf(python === '')('is served by multiprocessing through multiprocessing.connection', async () => {
    const server = await startServer('multiprocessing');
    // Below 16 KiB, at it and above, Python writes the header with the body or by itself.
    const sizes = [1, 8 * KIB, 16 * KIB - 1, 16 * KIB, 16 * KIB + 1, KIB * KIB, 1];
    expect(await runPython(python, CONNECTION, server.port, ...sizes)).toBe('echoed');
    expect(await server.stop()).toEqual([]);
  });
});
