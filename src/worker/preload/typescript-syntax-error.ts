/** esbuild's complaints in the shape of Node's own syntax errors. */
import type { Message } from 'esbuild';

/** A SyntaxError whose stack starts with file and line, the source line and a mark; other errors come back as they are. */
export function typescriptSyntaxError(path: string, error: unknown): unknown {
  const [first, ...others] = messagesOf(error);
  if (first === undefined) return error;
  const { location, text } = first;
  const line = location?.line ?? 1;
  // esbuild counts columns in bytes from 0, people in characters from 1.
  const lineText = location?.lineText ?? '';
  const before = Buffer.from(lineText)
    .subarray(0, location?.column ?? 0)
    .toString();
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  const failure = new SyntaxError(`${text}${more}`);
  const place = `${path}:${line}:${before.length + 1}`;
  failure.stack = `${place}\n${lineText}\n${before.replace(/[^\t]/g, ' ')}^\n\nSyntaxError: ${failure.message}\n    at ${place}`;
  return failure;
}

function messagesOf(error: unknown): readonly Message[] {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
}
