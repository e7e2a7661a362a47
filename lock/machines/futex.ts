/**
 * futex(2), called through koffi: sleep while a shared word holds a value, wake those that do.
 *
 * `Atomics.wait` and `notify` do the same with a mutex, a condition variable and a list of the engine's own on top: a hand-off and
 * back costs more than twice as much, and time-outs come later by a tenth of a millisecond. The lock of an interpreter written in C
 * has nothing of that between itself and the kernel. A sleeper here cannot be terminated; it is woken, as everything here is told
 * to end.
 */
import koffi from 'koffi';
import { NOT_EQUAL, TIMED_OUT, WOKEN } from '../memory.ts';

/** `SYS_futex`, which libc has no function for. */
const SYS_FUTEX = new Map([
  ['x64', 202],
  ['arm64', 98],
]).get(process.arch);
const FUTEX_WAIT_PRIVATE = 128;
const FUTEX_WAKE_PRIVATE = 129;
const EVERYBODY = 0x7fffffff;

const ETIMEDOUT = koffi.os.errno['ETIMEDOUT'];
const EAGAIN = koffi.os.errno['EAGAIN'];

const libc = koffi.load(null);
// Addresses as numbers: a word is told by where it is, and no view is made for each call.
const futexWait = libc.func(
  'long syscall(long number, uintptr_t word, int operation, int value, _In_ int64_t *timeout)',
);
// Without the argument that it does not have: a lock that is released is free until this has returned, and others can take it.
const futexWake = libc.func('int syscall(long number, uintptr_t word, int operation, int count)');

/** The words of one `Int32Array` as futexes; one object for each thread. */
export class Futexes {
  /** Kept, since an address keeps nothing from the garbage collector. */
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly #address: number;
  /** `struct timespec`: seconds, nanoseconds. */
  readonly #timeout = new BigInt64Array(2);

  /** @throws Error on a processor whose system call number is not known here */
  constructor(words: Int32Array<SharedArrayBuffer>) {
    if (SYS_FUTEX === undefined) throw new Error(`futex(2) is not known here on ${process.arch}`);
    this.words = words;
    this.#address = Number(koffi.address(words));
  }

  /**
   * Sleeps while the word at `index` holds `expected`, at most `timeoutNs` (`Infinity`: until woken).
   *
   * @returns NOT_EQUAL, WOKEN (perhaps for no reason, as futexes may) or TIMED_OUT
   */
  wait(index: number, expected: number, timeoutNs: number): number {
    const failed = futexWait(
      SYS_FUTEX,
      this.#address + index * 4,
      FUTEX_WAIT_PRIVATE,
      expected,
      this.#timespec(timeoutNs),
    );
    if (failed === 0) return WOKEN;
    const errno = koffi.errno();
    return errno === ETIMEDOUT ? TIMED_OUT : errno === EAGAIN ? NOT_EQUAL : WOKEN;
  }

  /** Wakes at most `count` sleepers (`Infinity`: all). Returns how many. */
  wake(index: number, count: number): number {
    return futexWake(SYS_FUTEX, this.#address + index * 4, FUTEX_WAKE_PRIVATE, Math.min(count, EVERYBODY)) as number;
  }

  #timespec(timeoutNs: number): BigInt64Array | null {
    if (timeoutNs === Infinity) return null;
    this.#timeout[0] = BigInt(Math.floor(timeoutNs / 1e9));
    this.#timeout[1] = BigInt(Math.floor(timeoutNs % 1e9));
    return this.#timeout;
  }
}
