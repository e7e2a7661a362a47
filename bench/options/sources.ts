/**
 * Where options come from beside the command line: `CONVOY_…` variables, a config file, a preset. The nearer to the user's fingers,
 * the more it weighs: command line, environment, file, preset, default. A run that is resumed has its options from its own
 * beginning, and from nowhere else unless the command line says so.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { UsageError } from '../exit-codes.ts';
import { TOKEN_VARIABLE } from '../remote/token.ts';
import { PRESETS } from './presets.ts';

/** Option → value, as text, as on the command line. */
export type Given = Readonly<Record<string, string | boolean | readonly string[]>>;

const valueSchema = z.union([
  z.string(),
  z.boolean(),
  z.number().transform(String),
  z.array(z.union([z.string(), z.number().transform(String)])),
]);

const PREFIX = 'CONVOY_';

/**
 * Collects them.
 *
 * @param known the options there are
 * @param chosen the preset and the config file that the command line names; the environment may name them too
 * @param warn is told of variables that look like options and are none: they may belong to somebody else
 * @throws UsageError for a preset or a file that is not there, or an option in the file that is none
 */
export function gatherOptions(
  known: readonly string[],
  chosen: { readonly preset?: string | undefined; readonly config?: string | undefined },
  environment: NodeJS.ProcessEnv,
  warn: (message: string) => void,
): Given {
  const fromEnvironment = readEnvironment(known, environment, warn);
  const config = chosen.config ?? textOf(fromEnvironment['config']);
  const fromFile = config === undefined ? {} : readConfig(config, known);
  const preset = chosen.preset ?? textOf(fromEnvironment['preset']) ?? textOf(fromFile['preset']);
  return { ...(preset === undefined ? {} : presetOptions(preset)), ...fromFile, ...fromEnvironment };
}

/** `CONVOY_SPINNER_KIND=native` → `spinner-kind`. */
function readEnvironment(
  known: readonly string[],
  environment: NodeJS.ProcessEnv,
  warn: (message: string) => void,
): Given {
  const given: Record<string, string | boolean> = {};
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || variable === TOKEN_VARIABLE || value === undefined) continue;
    const option = variable.slice(PREFIX.length).toLowerCase().replaceAll('_', '-');
    if (!known.includes(option)) warn(`${variable} is in the environment, but --${option} is no option: ignored`);
    else given[option] = value === 'true' ? true : value === 'false' ? false : value;
  }
  return given;
}

function readConfig(path: string, known: readonly string[]): Given {
  const refuse = (why: string) => new UsageError(`--config ${path}: ${why}`);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  const options = z.record(z.string(), valueSchema).safeParse(value);
  if (!options.success) throw refuse(`it is an object of options and their values:\n${z.prettifyError(options.error)}`);
  const unknown = Object.keys(options.data).filter((name) => !known.includes(name) || name === 'config');
  if (unknown.length > 0) throw refuse(`there is no option ${unknown.join(', ')}; there are ${known.join(', ')}`);
  return options.data;
}

function presetOptions(name: string): Given {
  const preset = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
  if (preset === undefined)
    throw new UsageError(`there is no preset «${name}»; there are ${Object.keys(PRESETS).join(', ')}`);
  return preset.options;
}

function textOf(value: Given[string] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
