/** What an earlier supervisor left of this session: a worker that trains on, one that ended unseen, or nothing. */
import type { StoreFiles } from '../checkpoint/files.ts';
import type { StoreLayout } from '../checkpoint/layout.ts';
import { listCheckpoints } from '../checkpoint/list.ts';
import { currentBootId, isAlive } from '../checkpoint/process-identity.ts';
import type { SessionFile, WorkerIdentity } from '../checkpoint/types.ts';
import { NkatError } from '../errors.ts';
import { attemptFiles } from './attempt-files.ts';
import { readExitRecord } from './exit-record.ts';
import type { UnseenEnd } from './machine/event.ts';
import { endOrphans, findOrphans } from './orphans.ts';
import { killGroupAndWait, ownedMembers } from './process-group.ts';

export type EarlierWorker =
  | { readonly kind: 'none' }
  | { readonly kind: 'alive'; readonly worker: WorkerIdentity }
  | { readonly kind: 'ended'; readonly worker: WorkerIdentity; readonly unseen: UnseenEnd };

/** Bound of every wait after SIGKILL. */
const KILL_WAIT_MS = 30_000;

export async function findEarlierWorker(
  files: StoreFiles,
  layout: StoreLayout,
  file: SessionFile,
): Promise<EarlierWorker> {
  const { worker } = file;
  if (worker === null) return { kind: 'none' };
  const owned = { leader: worker.group, session: file.id };
  if (isAlive(worker.group)) return { kind: 'alive', worker };
  // The launcher is gone. Whatever is left of its group has nobody who would record its end.
  if (ownedMembers(owned).length > 0 && (await killGroupAndWait(owned, KILL_WAIT_MS)) === 'unkillable') {
    throw unkillable(`group ${worker.group.pid}`);
  }
  return { kind: 'ended', worker, unseen: await unseenEnd(files, layout, worker) };
}

/**
 * Ends processes that carry the session but that no record names: a worker whose supervisor died between spawning and
 * recording it. It was never welcomed, so it has trained nothing.
 *
 * @returns how many were ended
 * @throws NkatError `unkillable-worker`
 */
export async function endUnrecordedWorkers(session: string, recorded: WorkerIdentity | null): Promise<number> {
  const strangers = () =>
    findOrphans(session).filter(({ identity, group }) => group !== recorded?.group.pid && identity.pid !== process.pid);
  const { ended, unkillable: left } = await endOrphans(strangers, KILL_WAIT_MS);
  if (left.length > 0) throw unkillable(`pid ${left.map(({ identity }) => identity.pid).join(', ')}`);
  return ended;
}

/** Two workers of one session must never live at once, so nothing is launched beside it. */
function unkillable(what: string): NkatError {
  return new NkatError(`${what} of an earlier launch survives SIGKILL`, {
    code: 'unkillable-worker',
    operation: 'end what an earlier launch left',
    hint: 'A driver or a disk hangs under it: free that, or reboot the machine, and run the same line again.',
  });
}

async function unseenEnd(files: StoreFiles, layout: StoreLayout, worker: WorkerIdentity): Promise<UnseenEnd> {
  const end = readExitRecord(attemptFiles(worker.outputDirectory, worker.attempt));
  const { bootId } = worker.group;
  const own = (await listCheckpoints(files, layout)).filter(
    (entry) => entry.place === 'session' && entry.manifest?.attempt === worker.attempt,
  );
  const verifiedStep = Math.max(-1, ...own.filter(({ verified }) => verified).map(({ step }) => step ?? -1));
  return {
    end: end ?? { code: null, signal: null, source: 'vanished' },
    bootChanged: end === null && bootId !== null && bootId !== currentBootId(),
    resumedFrom: worker.resumedFrom,
    final: own.find(({ manifest }) => manifest?.kinds.includes('final'))?.sequence ?? null,
    verifiedStep,
  };
}
