/** Seeds whose inputs a port once did not survive; each is sent again by the tests. */
export interface Regression {
  /** Names of ports. */
  readonly ports: readonly string[];
  readonly seed: number;
  /** How many of the seed's inputs it takes. */
  readonly inputs: number;
  /** What happened. */
  readonly was: string;
}

export const REGRESSIONS: readonly Regression[] = [];
