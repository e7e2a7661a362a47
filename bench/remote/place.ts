/** Where something is that `--connect` or `--control` names. */
import { UsageError } from '../exit-codes.ts';

export interface Place {
  /** An IPv4 address, or a name that has one. */
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `HOST:PORT`.
 *
 * @param minPort 0 where any free port will do
 * @throws UsageError
 */
export function readPlace(option: string, text: string, minPort: 0 | 1 = 1): Place {
  const match = /^([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2] ?? Number.NaN);
  if (match === null || !(port >= minPort && port <= 65_535)) {
    throw new UsageError(`--${option} is HOST:PORT, an IPv4 address or a name, such as 10.0.0.2:25001, not «${text}»`);
  }
  return { host: match[1] ?? '', port };
}
