/** A compiled module, for whoever runs as TypeScript, in the test runner, or is compiled itself, in a script. */
export function compiled(path: string): URL {
  return new URL(import.meta.url.endsWith('.ts') ? `../dist/${path}` : `../${path}`, import.meta.url);
}
