/**
 * The user's crontab: entries of ours stand behind a line that names them, and everything else stays as it is, byte for
 * byte. Editing is pure; reading and writing go through `crontab`, which checks what it is given.
 */
import { execFile } from 'node:child_process';
import { errnoOf, NkatError } from '../errors.ts';

const MARK = '# nkat-recover: ';

/** The line behind our mark of this name; null: there is none. */
export function findEntry(crontab: string, name: string): string | null {
  const lines = crontab.split('\n');
  const at = lines.indexOf(MARK + name);
  return at < 0 ? null : (lines[at + 1] ?? '');
}

/** Names of all entries of ours that begin with `prefix`, in their order. */
export function entryNames(crontab: string, prefix = ''): string[] {
  const names = crontab.split('\n').flatMap((line) => (line.startsWith(MARK) ? [line.slice(MARK.length)] : []));
  return names.filter((name) => name.startsWith(prefix));
}

/** The crontab with this entry, in the place of an earlier one of that name, else at the end. */
export function putEntry(crontab: string, name: string, entry: string): string {
  if (/[\r\n]/.test(name + entry)) throw new RangeError('an entry of a crontab is one line');
  const lines = crontab.split('\n');
  const at = lines.indexOf(MARK + name);
  if (at >= 0)
    return lines
      .with(at, MARK + name)
      .toSpliced(at + 1, 1, entry)
      .join('\n');
  const before = crontab === '' || crontab.endsWith('\n') ? crontab : `${crontab}\n`;
  return `${before}${MARK}${name}\n${entry}\n`;
}

/** The crontab without that entry; unchanged where there is none. */
export function removeEntry(crontab: string, name: string): string {
  const lines = crontab.split('\n');
  const at = lines.indexOf(MARK + name);
  return at < 0 ? crontab : lines.toSpliced(at, 2).join('\n');
}

/** A word for the shell that cron starts; `%` would end the command there. */
export function cronWord(text: string): string {
  const quoted = /^[\w@+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
  return quoted.replaceAll('%', '\\%');
}

/**
 * What stands in the crontab of this user; empty where there is none.
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
    const options = { env: { ...environment, LC_ALL: 'C' }, timeout: 30_000 };
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
    child.stdin?.end(input);
  });
}

function refusal(operation: string, message: string): NkatError {
  return new NkatError(message, {
    code: 'preflight',
    operation,
    hint: 'Install cron (apt-get install cron), or put the command into another scheduler by hand.',
  });
}
