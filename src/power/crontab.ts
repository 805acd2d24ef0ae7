/**
 * The user's crontab: entries of ours stand behind a line that names them, and everything else stays as it is, byte for
 * byte. So a crontab is text with one character a byte (`latin1`) here: others may have written theirs in any encoding.
 * Names and entries are plain text. Editing is pure; reading and writing go through `crontab`, which checks what it is given.
 */
import { execFile } from 'node:child_process';
import { errnoOf, NkatError } from '../errors.ts';

const MARK = '# nkat-recover: ';
/** In each entry of ours, by the name of the program itself. */
const OURS = 'nkat-recover';

/** The line behind our mark of this name; null: there is none. */
export function findEntry(crontab: string, name: string): string | null {
  const lines = crontab.split('\n');
  const [found] = marksOf(lines, name).flatMap((at) => lines.slice(at + 1, at + lengthOf(lines, at)));
  return found === undefined ? null : textOf(found);
}

/** Names of all entries of ours that begin with `prefix`, in their order, each once. */
export function entryNames(crontab: string, prefix = ''): string[] {
  const names = crontab.split('\n').flatMap((line) => (line.startsWith(MARK) ? [textOf(line.slice(MARK.length))] : []));
  return [...new Set(names)].filter((name) => name.startsWith(prefix));
}

/** The crontab with this entry once, in the place of an earlier one of that name, else at the end. */
export function putEntry(crontab: string, name: string, entry: string): string {
  if (/[\r\n]/.test(name + entry)) throw new RangeError('an entry of a crontab is one line');
  if (!entry.includes(OURS)) throw new RangeError(`not an entry of ours: ${entry}`);
  const lines = crontab.split('\n');
  const [first, ...copies] = marksOf(lines, name);
  if (first === undefined) {
    const before = crontab === '' || crontab.endsWith('\n') ? crontab : `${crontab}\n`;
    return `${before}${markOf(name)}\n${bytesOf(entry)}\n`;
  }
  return without(lines, copies).toSpliced(first, lengthOf(lines, first), markOf(name), bytesOf(entry)).join('\n');
}

/** The crontab without that entry; unchanged where there is none. */
export function removeEntry(crontab: string, name: string): string {
  const lines = crontab.split('\n');
  return without(lines, marksOf(lines, name)).join('\n');
}

/** Where it is marked: more than once where somebody copied it. */
function marksOf(lines: readonly string[], name: string): readonly number[] {
  const mark = markOf(name);
  return lines.flatMap((line, at) => (line === mark ? [at] : []));
}

function markOf(name: string): string {
  return MARK + bytesOf(name);
}

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function textOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Lines of an entry: the mark alone where its line was taken away by hand, so that what follows is somebody else's. */
function lengthOf(lines: readonly string[], at: number): number {
  const next = lines[at + 1] ?? '';
  return next.includes(OURS) && !next.startsWith(MARK) ? 2 : 1;
}

function without(lines: readonly string[], marks: readonly number[]): readonly string[] {
  const gone = new Set(marks.flatMap((at) => (lengthOf(lines, at) === 2 ? [at, at + 1] : [at])));
  return lines.filter((_, at) => !gone.has(at));
}

/** A word for the shell that cron starts; `%` would end the command there. */
export function cronWord(text: string): string {
  const quoted = /^[\w@+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
  return quoted.replaceAll('%', '\\%');
}

/**
 * What stands in the crontab of this user, one character a byte; empty where there is none.
 *
 * @throws NkatError `preflight` where there is no cron, or it is not allowed
 */
export async function readCrontab(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { code, stdout, stderr } = await crontab(['-l'], '', environment, 'read the crontab');
  if (code === 0) return stdout;
  if (/no crontab for/i.test(stderr)) return '';
  throw refusal('read the crontab', stderr.trim() || `crontab -l ended with ${code}`);
}

/** @throws NkatError `preflight` where cron refuses it; the old crontab then stands as it was */
export async function writeCrontab(text: string, environment: NodeJS.ProcessEnv = process.env): Promise<void> {
  const { code, stderr } = await crontab(['-'], text, environment, 'write the crontab');
  if (code !== 0) throw refusal('write the crontab', stderr.trim() || `crontab - ended with ${code}`);
}

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function crontab(
  args: readonly string[],
  input: string,
  environment: NodeJS.ProcessEnv,
  operation: string,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    // In plain English, so that an empty crontab is known from one that may not be read.
    const options = { env: { ...environment, LC_ALL: 'C' }, timeout: 30_000, encoding: 'latin1' } as const;
    const child = execFile('crontab', [...args], options, (error, stdout, stderr) => {
      if (error !== null && errnoOf(error) === 'ENOENT') {
        reject(refusal(operation, 'there is no cron on this machine'));
        return;
      }
      resolve({ code: error === null ? 0 : child.exitCode, stdout, stderr });
    });
    // It may refuse before it has read everything; its exit status says why.
    child.stdin?.on('error', (error) => {
      if (errnoOf(error) !== 'EPIPE') reject(error);
    });
    child.stdin?.end(input, 'latin1');
  });
}

function refusal(operation: string, message: string): NkatError {
  return new NkatError(message, {
    code: 'preflight',
    operation,
    hint: 'Install cron (apt-get install cron), or put the command into another scheduler by hand.',
  });
}
