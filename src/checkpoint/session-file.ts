/** `session.json`: all that is needed to resume a session when the database is gone. Replaced atomically. */
import { join } from 'node:path';
import { NkatError } from '../errors.ts';
import {
  boolean,
  Invalid,
  integer,
  list,
  literal,
  nullable,
  oneOf,
  optional,
  read,
  record,
  stored,
  string,
} from '../schema.ts';
import { FRESH_BUDGET, SESSION_STATES, STOPPED_BY } from '../words.ts';
import type { StoreFiles } from './files.ts';
import { looksLikeCheckpoint, makeDurableDirectory, parseBackupName, QUARANTINE, type StoreLayout } from './layout.ts';
import { cleanTemporaries, namesIfAny, readTextIfAny, replaceFile } from './small-file.ts';
import { guarded } from './store-error.ts';
import type { SessionFile, SessionIdentity } from './types.ts';

export const SESSION_FILE = 'session.json';
const SESSION_FILE_VERSION = 1;
const DAMAGED_HINT =
  'Put a copy of it back; the checkpoints beside it are untouched. Or start another session with --new.';
const MAX_SESSION_BYTES = 16 * 1024 * 1024;

const UNLIMITED = Number.POSITIVE_INFINITY;
const text = string(UNLIMITED);
const count = integer(0);
const processSchema = stored({ pid: integer(1), startTime: nullable(text), bootId: nullable(text) });

const headSchema = stored({ version: integer() });
/** The whole file is bounded by {@link MAX_SESSION_BYTES}, so its parts are not. A field that comes new is `optional`. */
const schema = stored({
  version: literal(SESSION_FILE_VERSION),
  id: string(UNLIMITED, /./),
  identity: stored({ cwd: text, trainer: text, args: list(text, 0, UNLIMITED), name: nullable(text) }),
  state: oneOf(SESSION_STATES),
  createdAt: text,
  updatedAt: text,
  attempts: count,
  lastCommit: nullable(stored({ sequence: count, step: count })),
  lastStep: count,
  budget: stored({
    highestVerifiedStep: integer(-1),
    withoutProgress: count,
    fromSameCheckpoint: count,
    stepsBack: count,
    restarts: count,
    hostOomRetried: boolean(),
    divergences: optional(count),
    cardOoms: optional(count),
    crashSaves: optional(count),
    relaunches: optional(count),
    progressedBy: optional(stored({ attempt: count, regular: boolean() })),
  }),
  setAside: list(stored({ sequence: count, step: count, reason: text, at: text }), 0, UNLIMITED),
  token: text,
  sourceDigest: nullable(text),
  backups: text,
  worker: nullable(
    stored({
      attempt: count,
      group: processSchema,
      outputDirectory: text,
      resumedFrom: nullable(count),
      spoke: optional(boolean()),
      machineId: optional(nullable(text)),
      counted: optional(boolean()),
    }),
  ),
  claim: optional(count),
  stoppedBy: optional(nullable(oneOf(STOPPED_BY))),
  launch: optional(stored({ environment: record(text, UNLIMITED), noConfig: boolean() })),
  cuts: optional(list(stored({ lastSeenAt: text, resumedAt: text }), 0, UNLIMITED)),
});

/**
 * The session's own record, or null when the directory has none.
 * @throws NkatError `format-newer`; `io` when it cannot be read or does not parse (it is replaced atomically, so
 * that is a damaged disk or a human hand, never a crash)
 */
export function readSessionFile(files: StoreFiles, directory: string): Promise<SessionFile | null> {
  const path = join(directory, SESSION_FILE);
  return guarded('read the session', path, async () => {
    const text = await readTextIfAny(files, path, MAX_SESSION_BYTES);
    return text === null ? null : parseSessionFile(text, path);
  });
}

/** Writes the record, atomically and durably; the directory is created where missing. @throws NkatError `io`, `no-space` */
export function writeSessionFile(files: StoreFiles, directory: string, value: SessionFile): Promise<void> {
  const path = join(directory, SESSION_FILE);
  return guarded('write the session', path, async () => {
    await makeDurableDirectory(files, directory);
    await rewriteSessionFile(files, directory, value);
  });
}

/**
 * The same for a directory that was there before: where it is gone (its disk was unmounted) nothing is made in its
 * place, which would hide below the disk when that comes back. @throws NkatError `io`, `no-space`
 */
export function rewriteSessionFile(files: StoreFiles, directory: string, value: SessionFile): Promise<void> {
  const path = join(directory, SESSION_FILE);
  return guarded('write the session', path, async () => {
    await cleanTemporaries(files, directory);
    await replaceFile(files, path, `${JSON.stringify(value, null, 2)}\n`);
  });
}

export interface NewSession {
  readonly id: string;
  readonly identity: SessionIdentity;
  /** Secret that workers show. */
  readonly token: string;
  readonly sourceDigest: string | null;
  /** Directory of this session's backups. */
  readonly backups: string;
  readonly now: Date;
}

/** The record of a session before its first launch. */
export function newSessionFile({ id, identity, token, sourceDigest, backups, now }: NewSession): SessionFile {
  return {
    version: SESSION_FILE_VERSION,
    id,
    identity,
    state: 'running',
    createdAt: now.toISOString(),
    updatedAt: now.toISOString(),
    attempts: 0,
    lastCommit: null,
    lastStep: 0,
    budget: FRESH_BUDGET,
    setAside: [],
    token,
    sourceDigest,
    backups,
    worker: null,
  };
}

/**
 * Whether this session ever had a checkpoint as far as the directories know: then it must not start from zero in
 * silence. @throws NkatError `io`, `format-newer`
 */
export async function everCommitted(files: StoreFiles, layout: StoreLayout): Promise<boolean> {
  if ((await readSessionFile(files, layout.directory))?.lastCommit) return true;
  return guarded('look for checkpoints', layout.directory, async () => {
    const committed = await namesIfAny(files, layout.directory);
    if (committed.some(looksLikeCheckpoint)) return true;
    if ((await namesIfAny(files, join(layout.directory, QUARANTINE))).length > 0) return true;
    const backups = await namesIfAny(files, layout.backups);
    if (backups.some((name) => parseBackupName(name) !== null)) return true;
    return (await namesIfAny(files, join(layout.backups, QUARANTINE))).length > 0;
  });
}

function parseSessionFile(text: string, path: string): SessionFile {
  const operation = 'read the session';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = 'session.json is not JSON: it is damaged.';
    throw new NkatError(message, { code: 'io', operation, path, hint: DAMAGED_HINT, cause: error });
  }
  const head = read(headSchema, value);
  if (!(head instanceof Invalid) && head.version > SESSION_FILE_VERSION) {
    throw new NkatError(`session.json has version ${head.version}; this release reads 1.`, {
      code: 'format-newer',
      operation,
      path,
      hint: 'Use the release of nkat-recover that wrote it, or a newer one.',
    });
  }
  const file = read(schema, value);
  if (!(file instanceof Invalid)) return file;
  const message = `session.json is damaged: ${file.detail}`;
  throw new NkatError(message, { code: 'io', operation, path, hint: DAMAGED_HINT });
}
