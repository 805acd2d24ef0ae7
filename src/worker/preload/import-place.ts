/** The line and column of an import that cannot be found: Node names the importing file alone. */
import { readFileSync } from 'node:fs';

/**
 * Lets the stack of a not-found error start at the import; without the frames of the module loader, which say nothing
 * of the trainer. The error comes back unchanged when the place cannot be told.
 */
export function pointAtImport(error: unknown, specifier: string, parent: string | null): unknown {
  const place = parent === null ? null : placeOf(specifier, parent);
  if (place === null || !(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? ` [${error.code}]` : '';
  error.stack = `${error.name}${code}: ${error.message}\n    at ${place}`;
  return error;
}

/** `path:line:column` of the first quoted occurrence. */
function placeOf(specifier: string, path: string): string | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // Not a file that can be read: then the error stays as Node made it.
    return null;
  }
  const found = [`'${specifier}'`, `"${specifier}"`, `\`${specifier}\``].map((quoted) => text.indexOf(quoted));
  const index = Math.min(...found.filter((at) => at >= 0));
  if (!Number.isFinite(index)) return null;
  const before = text.slice(0, index).split('\n');
  return `${path}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}
