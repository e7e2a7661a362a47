/** Failed system calls, with the name POSIX, or libzmq, gives the reason. */
import koffi from 'koffi';

/** The reasons libzmq adds to those of POSIX start here: `ZMQ_HAUSNUMERO` of zmq.h. */
const ZMQ_HAUSNUMERO = 156_384_712;
const ZMQ_ERRNO = {
  EFSM: ZMQ_HAUSNUMERO + 51,
  ENOCOMPATPROTO: ZMQ_HAUSNUMERO + 52,
  ETERM: ZMQ_HAUSNUMERO + 53,
  EMTHREAD: ZMQ_HAUSNUMERO + 54,
};

const nameOf = new Map(Object.entries({ ...koffi.os.errno, ...ZMQ_ERRNO }).map(([name, errno]) => [errno, name]));

/** A system call, or a call of libzmq, that returned -1. */
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
