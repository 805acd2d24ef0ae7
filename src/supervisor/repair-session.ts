/** Mends one session's directory: its record, and what interrupted work left. Nothing of a living session is touched. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { acquireClaim, releaseClaim } from '../checkpoint/claim.ts';
import type { StoreFiles } from '../checkpoint/files.ts';
import { QUARANTINE, type StoreLayout } from '../checkpoint/layout.ts';
import { listCheckpoints, listPlace } from '../checkpoint/list.ts';
import { findRemains, removeRemains } from '../checkpoint/remains.ts';
import { readSessionFile, rewriteSessionFile, SESSION_FILE } from '../checkpoint/session-file.ts';
import { errnoOf, NkatError } from '../errors.ts';
import type { SessionRow } from '../sessions/types.ts';
import { rebuildRecord } from './rebuild-record.ts';
import type { RepairFinding } from './repair-finding.ts';
import { sessionUser } from './session-user.ts';

export interface RepairedSession {
  readonly layout: StoreLayout;
  readonly row: SessionRow | null;
}

/** @returns what was found; `fixed` says what was done. @throws NkatError `io` */
export async function repairSession(
  files: StoreFiles,
  { layout, row }: RepairedSession,
  dryRun: boolean,
  now: Date,
): Promise<RepairFinding[]> {
  const { directory } = layout;
  const record = await recordProblem(files, directory);
  if (record?.kind === 'unreadable') return [finding('session-unreadable', directory, record.message, null)];
  const isSession = record === null || (await listPlace(files, directory, 'session')).length > 0;
  if (!isSession) return [];
  const remains = await findRemains(files, layout);
  const leftOver = remains.staged + remains.trashed + remains.temporaries;
  if (record === null && leftOver === 0) return [];
  const user = record === null ? (await sessionUser(files, directory)).holder : null;
  // Whatever lies there may be its work in progress.
  if (user !== null) return [];
  if (dryRun) return await described(files, { layout, row }, record, leftOver, now);
  const outcome = await acquireClaim(files, directory, { role: 'supervisor', takeOver: false });
  if (outcome.status === 'held') {
    return [finding('session-held', directory, `it is in use by pid ${outcome.by.pid} on ${outcome.by.host}`, null)];
  }
  try {
    const found: RepairFinding[] = [];
    if (record !== null) found.push(await mendRecord(files, { layout, row }, record, outcome.claim, now));
    if (leftOver > 0) {
      await removeRemains(files, layout);
      const after = await findRemains(files, layout);
      const rest = after.staged + after.trashed + after.temporaries;
      const done = leftOver > rest ? `${leftOver - rest} removed` : null;
      found.push(finding('left-over', directory, leftOverWords(leftOver), done));
    }
    return found;
  } finally {
    await releaseClaim(files, directory, outcome.claim);
  }
}

interface RecordProblem {
  readonly kind: 'missing' | 'damaged' | 'unreadable';
  readonly message: string;
}

async function recordProblem(files: StoreFiles, directory: string): Promise<RecordProblem | null> {
  try {
    if ((await readSessionFile(files, directory)) !== null) return null;
    return { kind: 'missing', message: 'session.json is missing' };
  } catch (error) {
    if (!(error instanceof NkatError)) throw error;
    // EACCES, EIO: it says nothing about the file, which must not be replaced.
    const isUnreadable = errnoOf(error.cause) !== null || error.code === 'format-newer';
    return { kind: isUnreadable ? 'unreadable' : 'damaged', message: error.message };
  }
}

async function rebuilt(files: StoreFiles, { layout, row }: RepairedSession, now: Date) {
  const quarantined = await listPlace(files, join(layout.directory, QUARANTINE), 'session');
  const entries = [...(await listCheckpoints(files, layout)), ...quarantined];
  const token = randomBytes(32).toString('hex');
  return rebuildRecord({ directory: layout.directory, entries, row, backups: layout.backups, token, now });
}

async function mendRecord(
  files: StoreFiles,
  session: RepairedSession,
  problem: RecordProblem,
  claim: number,
  now: Date,
): Promise<RepairFinding> {
  const { directory } = session.layout;
  const made = await rebuilt(files, session, now);
  if (made === null) return finding('record-lost', directory, `${problem.message}; ${UNKNOWN_TRAINER}`, null);
  if (problem.kind === 'damaged') {
    const stamp = now.toISOString().replace(/[-:]/g, '').replace(/\..*/, 'Z');
    await files.rename(join(directory, SESSION_FILE), join(directory, `${SESSION_FILE}.damaged-${stamp}`));
  }
  await rewriteSessionFile(files, directory, { ...made.file, claim });
  return finding('record-lost', directory, problem.message, `made again; lost are ${made.lost.join(', ')}`);
}

const UNKNOWN_TRAINER = 'no checkpoint and no index says which trainer it is of';

async function described(
  files: StoreFiles,
  session: RepairedSession,
  record: RecordProblem | null,
  leftOver: number,
  now: Date,
): Promise<RepairFinding[]> {
  const { directory } = session.layout;
  const found: RepairFinding[] = [];
  if (record !== null) {
    const can = (await rebuilt(files, session, now)) !== null;
    const done = can ? 'would be made again' : null;
    found.push(finding('record-lost', directory, can ? record.message : `${record.message}; ${UNKNOWN_TRAINER}`, done));
  }
  if (leftOver > 0) found.push(finding('left-over', directory, leftOverWords(leftOver), 'would be removed'));
  return found;
}

function leftOverWords(count: number): string {
  return `interrupted work left ${count === 1 ? 'one thing' : `${count} things`} behind`;
}

function finding(what: RepairFinding['what'], path: string, message: string, fixed: string | null): RepairFinding {
  return { what, path, message, fixed };
}
