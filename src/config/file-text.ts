/** The text of a configuration file, or a refusal that says what is wrong with the file as such. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { errnoOf, NkatError } from '../errors.ts';

/** A file of a few dozen lines; the library takes 2 s for 64 KiB of brackets, and 10 s for four times as much. */
export const MAX_FILE_BYTES = 64 * 1024;

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'it may not be read',
  EPERM: 'it may not be read',
  ELOOP: 'it is a link that leads to itself',
};

/**
 * @param namedAt what named the file (`--config`, `base.yaml:3:1`); null: it was found
 * @throws NkatError `configuration` for anything but readable text, `io` when the disk fails
 */
export function readFileText(path: string, namedAt: string | null): string {
  const bytes = readBytes(path, namedAt);
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw refusal('it is UTF-16', path, namedAt, 'Save it as UTF-8.');
  }
  const text = new TextDecoder('utf-8').decode(bytes);
  const control = [...CONTROL_CHARACTERS, ...(isUtf8(bytes) ? [] : ['\ufffd'])]
    .map((character) => text.indexOf(character))
    .filter((index) => index >= 0);
  if (control.length === 0) return text;
  const line = text.slice(0, Math.min(...control)).split(/\r\n|\r|\n/).length;
  throw refusal(
    `it is no text: line ${line} has bytes that are no UTF-8 text`,
    path,
    namedAt,
    'Save it as UTF-8 text.',
  );
}

/** All but tab, line feed and carriage return. */
const CONTROL_CHARACTERS = Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).filter(
  (character) => !'\t\n\r'.includes(character),
);

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

function readBytes(path: string, namedAt: string | null): Uint8Array {
  try {
    // Looked at before it is opened: opening a pipe would wait for its writer.
    const facts = statSync(path);
    if (facts.isDirectory()) throw refusal('it is a folder', path, namedAt, 'Name the file inside it.');
    if (!facts.isFile()) throw refusal('it is not a regular file', path, namedAt, 'To use no file: --no-config.');
    return readUpTo(path, namedAt);
  } catch (error) {
    if (error instanceof NkatError) throw error;
    const why = WHY[errnoOf(error) ?? ''];
    if (why !== undefined) throw refusal(why, path, namedAt, hintOf(path, namedAt), error);
    const message = error instanceof Error ? error.message : String(error);
    const hint = 'Check the disk, or run with --no-config.';
    throw new NkatError(message, { code: 'io', operation: 'read the configuration', path, hint, cause: error });
  }
}

function readUpTo(path: string, namedAt: string | null): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const buffer = new Uint8Array(MAX_FILE_BYTES + 1);
    let length = 0;
    for (;;) {
      const count = readSync(file, buffer, length, buffer.length - length, null);
      length += count;
      if (length > MAX_FILE_BYTES) {
        const size = `it is larger than ${MAX_FILE_BYTES / 1024} KiB`;
        throw refusal(size, path, namedAt, 'A configuration file has a few dozen lines: is this another file?');
      }
      if (count === 0) return buffer.subarray(0, length);
    }
  } finally {
    closeSync(file);
  }
}

function hintOf(path: string, namedAt: string | null): string {
  return namedAt === null
    ? `Check it: ls -l ${path}. To run without it: --no-config.`
    : `Check the path in ${namedAt}.`;
}

function refusal(why: string, path: string, namedAt: string | null, hint: string, cause?: unknown): NkatError {
  const named = namedAt === null ? '' : `, named by ${namedAt}`;
  const operation = 'read the configuration';
  return new NkatError(`${why}: ${path}${named}`, { code: 'configuration', operation, path, hint, cause });
}
