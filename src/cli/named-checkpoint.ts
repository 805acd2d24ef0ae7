/**
 * The checkpoint that `resume --from` names, found before anything is claimed, written or said: a slip of the pen must
 * change nothing. Whether it verifies is found out when it is taken.
 */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { StoreFiles } from '../checkpoint/files.ts';
import { isDirectory, parseCheckpointName, QUARANTINE } from '../checkpoint/layout.ts';
import { listCheckpoints } from '../checkpoint/list.ts';
import { MANIFEST_FILE, MAX_MANIFEST_BYTES, readManifest } from '../checkpoint/manifest.ts';
import { listQuarantine } from '../checkpoint/quarantine.ts';
import { FileTooLarge, readSmallFile } from '../checkpoint/small-file.ts';
import type { CheckpointEntry } from '../checkpoint/types.ts';
import { errnoOf, messageOf, NkatError } from '../errors.ts';
import type { LocatedSession } from './located-session.ts';
import { usageError } from './usage-error.ts';

const OPERATION = 'find the checkpoint that --from names';
/** As many as a sentence can take. */
const MAX_SHOWN = 8;

/**
 * @param word a sequence number, or a path; relative ones are looked up from `cwd`
 * @returns what the supervisor takes: the number, or the checkpoint's own path
 * @throws NkatError `usage` for a word that is neither; `checkpoint-not-found` where the session has no such
 * checkpoint; `checkpoint-damaged` where it is in quarantine; `io`
 */
export async function namedCheckpoint(
  files: StoreFiles,
  { row, layout }: LocatedSession,
  word: string,
  cwd: string,
): Promise<number | string> {
  refuseIllFormed(word);
  const isNumber = /^\d+$/.test(word);
  // Of a folder that is away the supervisor tells, with what to mount.
  if (!(await isDirectory(files, layout.directory))) return isNumber ? Number(word) : resolve(cwd, word);
  const entries = await listCheckpoints(files, layout);
  const hint = `What the session has: nkat-recover show ${row.id}`;
  const refuse = (reason: string, path?: string): NkatError =>
    new NkatError(`${reason}; ${othersOf(entries)}`, {
      code: 'checkpoint-not-found',
      operation: OPERATION,
      hint,
      ...(path !== undefined && { path }),
    });
  if (isNumber) {
    const sequence = Number(word);
    if (entries.some((entry) => entry.sequence === sequence)) return sequence;
    const quarantined = (await listQuarantine(files, layout)).find((entry) => entry.sequence === sequence);
    if (quarantined === undefined) throw refuse(`session ${row.id} has no checkpoint ${sequence}`);
    throw damaged(`checkpoint ${sequence} is in quarantine: ${quarantined.reason}; ${othersOf(entries)}`, hint);
  }
  const path = resolve(cwd, word);
  const real = realPathOf(path);
  if (real === null) throw refuse('there is nothing at this path', path);
  const entry = entries.find((candidate) => realPathOf(candidate.path) === real);
  if (entry !== undefined) return entry.path;
  const quarantine = realPathOf(join(layout.directory, QUARANTINE));
  if (quarantine !== null && dirname(real) === quarantine) {
    throw damaged(`this checkpoint is in quarantine; ${othersOf(entries)}`, hint, path);
  }
  const owner = await sessionAt(files, real);
  if (owner === null) throw refuse('this is no checkpoint', path);
  const whose = owner === row.id ? 'lies outside of the folders of its session' : `belongs to session ${owner}`;
  throw refuse(`this checkpoint ${whose}`, path);
}

function refuseIllFormed(word: string): void {
  if (word.trim() !== '' && !/^[-+.\d][-+.,\d]*$/.test(word)) return;
  if (/^\d{1,15}$/.test(word) || /^\.{1,2}$/.test(word)) return;
  throw usageError(
    `--from ${word === '' ? 'is empty' : `${JSON.stringify(word)} means nothing`}; accepted is the sequence number of a checkpoint (1, 2, ...) or the path of one`,
    'Which there are: nkat-recover show',
  );
}

function othersOf(entries: readonly CheckpointEntry[]): string {
  const names = [...new Set(entries.map(({ sequence, step }) => `${sequence} (step ${step ?? '?'})`))];
  if (names.length === 0) return 'it has none';
  const more = names.length > MAX_SHOWN ? ` and ${names.length - MAX_SHOWN} older` : '';
  return `there ${names.length === 1 ? 'is' : 'are'} ${names.slice(0, MAX_SHOWN).join(', ')}${more}`;
}

function damaged(message: string, hint: string, path?: string): NkatError {
  return new NkatError(message, {
    code: 'checkpoint-damaged',
    operation: OPERATION,
    hint,
    ...(path !== undefined && { path }),
  });
}

/** Whose checkpoint stands there, as its manifest says, or else its name; null: it is none. */
async function sessionAt(files: StoreFiles, path: string): Promise<string | null> {
  const named = parseCheckpointName(basename(path))?.session ?? null;
  try {
    const read = readManifest(await readSmallFile(files, join(path, MANIFEST_FILE), MAX_MANIFEST_BYTES));
    return read.status === 'ok' ? read.manifest.session : named;
  } catch (error) {
    if (errnoOf(error) === null && !(error instanceof FileTooLarge)) throw error;
    return named;
  }
}

/** Null where nothing stands. @throws NkatError `io` where that cannot be seen */
function realPathOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return null;
    throw new NkatError(`it cannot be looked at: ${messageOf(error)}`, {
      code: 'io',
      operation: OPERATION,
      path,
      cause: error,
    });
  }
}
