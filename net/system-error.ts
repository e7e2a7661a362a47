/** Failed system calls, with the name POSIX gives the reason. */
import koffi from 'koffi';

const nameOf = new Map(Object.entries(koffi.os.errno).map(([name, errno]) => [errno, name]));

/** A system call that returned -1. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  /** The call, `recv`. */
  readonly call: string;
  /** The reason, `ECONNRESET`. */
  readonly code: string;

  constructor(call: string, errno: number) {
    const code = nameOf.get(errno) ?? `errno ${errno}`;
    super(`${call}: ${code}`);
    this.call = call;
    this.code = code;
  }
}
