/** A token bucket: so many at once, and so many a second on the long run. */
export class RateLimit {
  readonly #perMs: number;
  readonly #most: number;
  #left: number;
  #atMs: number;

  /**
   * @param perSecond tokens that come back
   * @param atOnce tokens at first, and the most there are
   * @param nowMs on any clock; calls of {@link take} go on with it
   */
  constructor(perSecond: number, atOnce: number, nowMs: number) {
    this.#perMs = perSecond / 1e3;
    this.#most = atOnce;
    this.#left = atOnce;
    this.#atMs = nowMs;
  }

  /** @returns whether there was a token to take */
  take(nowMs: number): boolean {
    this.#left = Math.min(this.#most, this.#left + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
