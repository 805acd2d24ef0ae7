/** Which session a request from another terminal is for, and who is there to take it. */

import { nodeFiles } from '../checkpoint/files.ts';
import { relationOf } from '../checkpoint/process-identity.ts';
import type { SessionFile, WorkerIdentity } from '../checkpoint/types.ts';
import { NkatError } from '../errors.ts';
import type { SessionsDatabase } from '../sessions/database.ts';
import type { SessionRow } from '../sessions/types.ts';
import { stopWords } from '../supervisor/owner-words.ts';
import { isOpenState } from '../words.ts';
import { type LocatedSession, locateSession } from './located-session.ts';
import { ownWatch } from './session-state.ts';

export interface RunningSession {
  readonly session: LocatedSession;
  readonly file: SessionFile;
  /** `supervised`: its supervisor lives. `orphaned`: the worker trains on alone. */
  readonly reach:
    | { readonly by: 'supervised'; readonly pid: number }
    | { readonly by: 'orphaned'; readonly worker: WorkerIdentity };
}

/**
 * The row that a word names; `latest` is the newest session that runs, and only then the newest of all.
 *
 * @throws NkatError `session-not-found`, `session-ambiguous`
 */
export async function resolveRunning(database: SessionsDatabase, word: string): Promise<SessionRow> {
  if (word !== 'latest') return database.sessions.resolve(word);
  const watch = ownWatch();
  for (const row of database.sessions.list()) {
    if (!isOpenState(row.state)) continue;
    const { present } = await locateSession(nodeFiles, row, watch);
    if (isOpenState(present.state)) return row;
  }
  return database.sessions.resolve(word);
}

/** @throws NkatError `session-not-running`, `session-held` where its owner cannot be asked from here */
export async function findRunning(row: SessionRow): Promise<RunningSession> {
  const watch = ownWatch();
  const session = await locateSession(nodeFiles, row, watch);
  const { owner, present, file } = session;
  if (owner !== null && relationOf(owner, watch.self) === 'elsewhere') {
    throw new NkatError(
      `it is held on ${owner.host} (pid ${owner.pid}, since ${owner.at}), which cannot be reached from here`,
      {
        code: 'session-held',
        operation: `reach session ${row.id}`,
        hint: `Give the command on ${owner.host}.`,
      },
    );
  }
  if (owner?.role === 'alone' && present.ownerPid !== null) {
    throw new NkatError(
      `a trainer that runs without a supervisor holds it (pid ${owner.pid}), and nothing listens there`,
      {
        code: 'session-held',
        operation: `reach session ${row.id}`,
        hint: stopWords(row.id, owner),
      },
    );
  }
  if (file !== null && present.ownerPid !== null) {
    return { session, file, reach: { by: 'supervised', pid: present.ownerPid } };
  }
  if (file?.worker && present.workerAlive) return { session, file, reach: { by: 'orphaned', worker: file.worker } };
  throw new NkatError(`it is not running (${present.state})`, {
    code: 'session-not-running',
    operation: `reach session ${row.id}`,
    hint:
      present.state === 'completed'
        ? `See it: nkat-recover show ${row.id}`
        : `Go on with it: nkat-recover resume ${row.id}`,
  });
}
