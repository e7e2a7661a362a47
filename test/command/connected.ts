/** Whether a process has a connection. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** proc(5): of a connection that is established the state, the fourth field of `net/tcp`, is 01; the tenth is its inode. */
export function isConnected(pid: number): boolean {
  try {
    const connections = readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '01')
      .map((fields) => `socket:[${fields[9]}]`);
    return readdirSync(`/proc/${pid}/fd`).some((fd) => connections.includes(readlinkSync(`/proc/${pid}/fd/${fd}`)));
  } catch {
    // It has closed one just now, or ended.
    return false;
  }
}
