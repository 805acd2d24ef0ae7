/** One session with all that a command needs to speak of it: its row, its directories, its processes. */

import { join } from 'node:path';
import { isReleased, readOwner } from '../checkpoint/claim.ts';
import type { StoreFiles } from '../checkpoint/files.ts';
import type { StoreLayout } from '../checkpoint/layout.ts';
import { relationOf } from '../checkpoint/process-identity.ts';
import { readSessionFile } from '../checkpoint/session-file.ts';
import type { Owner, SessionFile } from '../checkpoint/types.ts';
import { errnoOf, NkatError } from '../errors.ts';
import type { SessionRow } from '../sessions/types.ts';
import { stopWords } from '../supervisor/owner-words.ts';
import { isOpenState } from '../words.ts';
import { type Present, presentState, type Watch } from './session-state.ts';

export interface LocatedSession {
  readonly row: SessionRow;
  readonly layout: StoreLayout;
  /** Null: the directory is missing, or has lost its `session.json`. */
  readonly file: SessionFile | null;
  /** Who holds the session; null: nobody ever did, or it was given back. */
  readonly owner: Owner | null;
  readonly present: Present;
}

/** @throws NkatError `io`, `format-newer` when `session.json` cannot be used */
export async function locateSession(files: StoreFiles, row: SessionRow, watch: Watch): Promise<LocatedSession> {
  const directory = join(row.root, row.id);
  // In this order: who gives a claim back has written before how the session ended.
  const owner = await ownerOf(files, directory);
  const file = await readSessionFile(files, directory);
  const state = file === null || isOpenState(file.state) ? row.state : file.state;
  const recorded = { state, owner, worker: file?.worker ?? null };
  const layout = { session: row.id, directory, backups: file?.backups ?? row.backups };
  return { row, layout, file, owner, present: presentState(recorded, watch) };
}

/**
 * The disk with its checkpoints is not mounted, or somebody took its folder away: what is not seen then says nothing of the
 * session.
 */
export async function isStoreMissing(files: StoreFiles, { layout, file }: LocatedSession): Promise<boolean> {
  if (file !== null) return false;
  try {
    await files.facts(layout.directory);
    return false;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true;
    throw error;
  }
}

/** Owner of a claim that was not given back. */
async function ownerOf(files: StoreFiles, directory: string): Promise<Owner | null> {
  const owner = await readOwner(files, directory);
  if (owner === null) return null;
  return (await isReleased(files, directory, owner.claim)) ? null : owner;
}

/**
 * Refuses a session that another process owns. The claim itself is what decides; this only says so before anyone is
 * asked a question.
 *
 * @throws NkatError `session-held`
 */
export function refuseHeld({ row, owner }: LocatedSession, takeOver: boolean, watch: Watch): void {
  if (owner === null) return;
  const relation = relationOf(owner, watch.self);
  if (relation === 'rebooted' || (relation === 'here' && !watch.alive(owner))) return;
  if (relation === 'elsewhere' && takeOver) return;
  const who = owner.role === 'alone' ? 'a trainer that runs without a supervisor' : 'another supervisor';
  throw new NkatError(`${who} holds session ${row.id}: pid ${owner.pid} on ${owner.host}, since ${owner.at}`, {
    code: 'session-held',
    operation: 'continue the session',
    hint:
      relation === 'elsewhere'
        ? 'If that machine is known to be off: --take-over. Another session beside it: nkat-recover run --new.'
        : `${stopWords(row.id, owner)} Another session beside it: nkat-recover run --new.`,
  });
}
