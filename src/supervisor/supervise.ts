/** From the command line's request to the end of the session: open it, claim it, run it, give the claim back. */

import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { openBackupRoot } from '../checkpoint/backup-root.ts';
import { acquireClaim, isReleased, releaseClaim } from '../checkpoint/claim.ts';
import { nodeFiles, type StoreFiles } from '../checkpoint/files.ts';
import type { StoreLayout } from '../checkpoint/layout.ts';
import { isAlive } from '../checkpoint/process-identity.ts';
import { registerRoot } from '../checkpoint/roots.ts';
import { newSessionFile, readSessionFile, writeSessionFile } from '../checkpoint/session-file.ts';
import type { Owner, SessionFile } from '../checkpoint/types.ts';
import { errnoOf, NkatError } from '../errors.ts';
import { refuseBesideUnkillable, workerMayLive } from './earlier-worker.ts';
import { freshId, freshLayout } from './fresh-layout.ts';
import { inTime } from './in-time.ts';
import type { SessionEnd, SuperviseOptions } from './options.ts';
import { stopWords } from './owner-words.ts';
import { superviseClaimed } from './supervise-claimed.ts';

/**
 * Runs one session to its end: claims it, launches or adopts the worker, recovers it as often as the budget allows.
 *
 * @throws NkatError `session-held` (73), `store-missing` (74), `session-not-found` (66), `io`, `no-space`
 */
export async function supervise(options: SuperviseOptions): Promise<SessionEnd> {
  const files = nodeFiles;
  const { layout, file: opened } = await openSession(files, options);
  // Before the claim, which would fence the worker that is to go on undisturbed.
  refuseToChangeLiveWorker(options, opened);
  await refuseBesideUnkillable(opened, options.settings.stop.killWaitMs);
  const { claim, previous } = await claimSession(files, layout, options.takeOver);
  try {
    // Read again under the claim: an earlier owner may have written until it died.
    const file = (await readSessionFile(files, layout.directory)) ?? opened;
    if (options.target.kind === 'new') await writeSessionFile(files, layout.directory, { ...file, claim });
    await registerRoot(files, options.home.roots, options.settings.root);
    return await superviseClaimed(options, { files, layout, file, claim, previous });
  } finally {
    // Read once more: whatever ended us, a worker that may still write keeps the session. Here our death frees the claim.
    await inTime(giveBackIfIdle(files, layout, claim));
  }
}

async function giveBackIfIdle(files: StoreFiles, layout: StoreLayout, claim: number): Promise<void> {
  if (await isIdle(files, layout)) await giveBack(files, layout, claim);
}

/** False also where that cannot be read: what is not known to be idle is not given back. */
async function isIdle(files: StoreFiles, layout: StoreLayout): Promise<boolean> {
  try {
    const file = await readSessionFile(files, layout.directory);
    return file !== null && !workerMayLive(file);
  } catch (error) {
    if (!(error instanceof NkatError)) throw error;
    return false;
  }
}

/** Where the disk refuses even this, our death gives the claim back all the same: how the session ended matters more. */
async function giveBack(files: StoreFiles, { directory }: StoreLayout, claim: number): Promise<void> {
  try {
    await releaseClaim(files, directory, claim);
  } catch (error) {
    if (!(error instanceof NkatError) && errnoOf(error) === null) throw error;
  }
}

/** A worker that trains on alone can be adopted as it is; other arguments or another resume point need a new launch. */
function refuseToChangeLiveWorker({ target, from }: SuperviseOptions, file: SessionFile): void {
  const changesArgs =
    target.kind === 'existing' && target.args !== null && !isDeepStrictEqual(target.args, file.identity.args);
  if (!changesArgs && from === null) return;
  if (file.worker === null || !isAlive(file.worker.group)) return;
  throw new NkatError('its worker is still training, with the arguments and from the checkpoint that it was given', {
    code: 'session-held',
    operation: `change how session ${file.id} goes on`,
    hint: `Stop it with a save, then ask for the change again: nkat-recover stop ${file.id}`,
  });
}

interface OpenedSession {
  readonly layout: StoreLayout;
  readonly file: SessionFile;
}

async function openSession(files: StoreFiles, options: SuperviseOptions): Promise<OpenedSession> {
  const { target, settings } = options;
  if (target.kind === 'new') {
    const now = afterEveryOther(
      new Date(),
      options.sessions.read(({ sessions }) => sessions.newest()?.createdAt ?? null, null),
    );
    const { directory: home, backupRoots: listFile } = options.home;
    // Before there is a session that would be left behind.
    await openBackupRoot(files, { root: resolve(settings.backups), home, listFile });
    const layout = await freshLayout(files, settings, freshId);
    const token = randomBytes(32).toString('hex');
    const { backups } = layout;
    const file = newSessionFile({
      id: layout.session,
      identity: target.identity,
      token,
      sourceDigest: null,
      backups,
      now,
    });
    return { layout, file };
  }
  const { id, directory } = target;
  await requireDirectory(files, directory);
  const file = await readSessionFile(files, directory);
  if (file === null) {
    throw new NkatError('it has no session.json', {
      code: 'store-missing',
      operation: `open session ${id}`,
      path: directory,
      hint: `What is left of it: nkat-recover explain ${id}`,
    });
  }
  return { layout: { session: id, directory, backups: file.backups }, file };
}

/** Newest is what was made last, also after the clock was set back: the same line again must find it. */
function afterEveryOther(now: Date, newest: string | null): Date {
  const newestMs = newest === null ? Number.NaN : Date.parse(newest);
  return newestMs >= now.getTime() ? new Date(newestMs + 1) : now;
}

async function requireDirectory(files: StoreFiles, directory: string): Promise<void> {
  try {
    await files.facts(directory);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new NkatError('the recorded checkpoint directory is missing', {
      code: 'store-missing',
      operation: 'open the session',
      path: directory,
      hint: 'Mount the disk that holds it and run the same line again, or start another session with --new.',
      cause: error,
    });
  }
}

/** Our claim, and who had the session before without giving it back. */
async function claimSession(
  files: StoreFiles,
  layout: StoreLayout,
  takeOver: boolean,
): Promise<{ readonly claim: number; readonly previous: Owner | null }> {
  const outcome = await acquireClaim(files, layout.directory, { role: 'supervisor', takeOver });
  if (outcome.status === 'claimed') {
    const { claim, previous } = outcome;
    const isOpen = previous !== null && !(await isReleased(files, layout.directory, previous.claim));
    return { claim, previous: isOpen ? previous : null };
  }
  throw new NkatError(`it is held by ${holderWords(outcome.by)}`, {
    code: 'session-held',
    operation: `claim session ${layout.session}`,
    path: layout.directory,
    hint: outcome.elsewhere
      ? 'If that machine is certainly gone: run the same line with --take-over.'
      : stopWords(layout.session, outcome.by),
  });
}

function holderWords({ role, pid, host, at }: Owner): string {
  const who = role === 'alone' ? 'a trainer that runs alone' : 'another nkat-recover';
  return `${who} (pid ${pid} on ${host}, since ${at})`;
}
