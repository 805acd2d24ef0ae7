/** What an earlier supervisor left of this session: a worker that trains on, one that ended unseen, or nothing. */
import { readFileSync } from 'node:fs';
import { currentBootId, isSameBoot } from '../checkpoint/boot-identity.ts';
import type { StoreFiles } from '../checkpoint/files.ts';
import type { StoreLayout } from '../checkpoint/layout.ts';
import { listCheckpoints } from '../checkpoint/list.ts';
import { isAlive } from '../checkpoint/process-identity.ts';
import type { CheckpointEntry, Manifest, Owner, SessionFile, WorkerIdentity } from '../checkpoint/types.ts';
import { errnoOf, NkatError } from '../errors.ts';
import { type AttemptFiles, attemptFiles } from './attempt-files.ts';
import { BoundedWait } from './bounded-wait.ts';
import { endWorker } from './end-worker.ts';
import { unseenOomRecord } from './evidence.ts';
import { readExitRecord } from './exit-record.ts';
import type { UnseenEnd, VerifiedSteps } from './machine/event.ts';
import { progressOf } from './machine/restart-policy.ts';
import { endOrphans, findOrphans } from './orphans.ts';
import { ownedMembers } from './process-group.ts';
import { isCutOff, placeOfWorker } from './session-cut.ts';
import { isKillPending, survivorWords } from './survivors.ts';
import type { WorkerEnd } from './worker-end.ts';
import { announcedWorker } from './worker-pid.ts';

export type EarlierWorker =
  | { readonly kind: 'none' }
  | { readonly kind: 'alive'; readonly worker: WorkerIdentity; readonly verified: VerifiedSteps }
  | {
      readonly kind: 'ended';
      readonly worker: WorkerIdentity;
      readonly unseen: UnseenEnd;
      /** The newest checkpoint that it left: it came so far with nobody who would have noted it. */
      readonly newest: Manifest | null;
    };

/** @param previous whoever had the session last and did not give it back */
export async function findEarlierWorker(
  files: StoreFiles,
  layout: StoreLayout,
  file: SessionFile,
  killWaitMs: number,
  previous: Owner | null,
): Promise<EarlierWorker> {
  const { worker } = file;
  if (worker === null) return { kind: 'none' };
  const owned = { leader: worker.group, session: file.id };
  if (isAlive(worker.group)) return { kind: 'alive', worker, verified: verifiedBy(await ownOf(files, layout, worker)) };
  // The launcher is gone. Whatever is left of its group has nobody who would record its end.
  if (ownedMembers(owned).length > 0) {
    const ending = await endWorker(owned, { limitMs: killWaitMs });
    if (ending.status === 'unkillable') throw unkillable(ending.survivors);
  }
  const own = await ownOf(files, layout, worker);
  const newest = own
    .map(({ manifest }) => manifest)
    .reduce((a, b) => ((b?.step ?? -1) > (a?.step ?? -1) ? b : a), null);
  return { kind: 'ended', worker, unseen: await unseenEnd(own, worker, previous), newest };
}

/**
 * Ends processes that carry the session but that no record names: a worker whose supervisor died between spawning and
 * recording it. It was never welcomed, so it has trained nothing.
 *
 * @returns how many were ended
 * @throws NkatError `unkillable-worker`
 */
export async function endUnrecordedWorkers(session: string, killWaitMs: number): Promise<number> {
  const { ended, unkillable: left } = await endOrphans(() => findOrphans(session), killWaitMs);
  if (left.length > 0) throw unkillable(left.map(({ identity }) => survivorWords(identity.pid)));
  return ended;
}

/**
 * Before the claim: a worker that was killed and does not end. Whatever holds it in the kernel, mostly the very disk that the
 * session is on, would hold us as soon as we write there, and then nothing could end us either. So nothing is touched.
 *
 * @throws NkatError `unkillable-worker` when it is still there after `killWaitMs`
 */
export async function refuseBesideUnkillable({ id, worker }: SessionFile, killWaitMs: number): Promise<void> {
  if (worker === null) return;
  const owned = { leader: worker.group, session: id };
  const wait = new BoundedWait(killWaitMs);
  for (;;) {
    const doomed = ownedMembers(owned).filter(({ pid }) => isKillPending(pid));
    if (doomed.length === 0) return;
    if (wait.isOver) throw unkillable(doomed.map(({ pid }) => survivorWords(pid)));
    await wait.poll();
  }
}

/**
 * True while a worker of this session may still write: then the claim on it is not to be given back. Another machine would
 * launch a second one beside it.
 */
export function workerMayLive({ id, worker }: SessionFile): boolean {
  return worker !== null && (isAlive(worker.group) || ownedMembers({ leader: worker.group, session: id }).length > 0);
}

/** Two workers of one session must never live at once, so nothing is launched beside it. */
function unkillable(survivors: readonly string[]): NkatError {
  return new NkatError(`a process of an earlier launch survives SIGKILL: ${survivors.join('; ')}`, {
    code: 'unkillable-worker',
    operation: 'end what an earlier launch left',
    hint: 'A driver or a disk hangs under it: free that, or reboot the machine, and run the same line again.',
  });
}

/** Unreadable is as good as missing: the end is then told by its code alone. */
function noteOf({ note }: Pick<AttemptFiles, 'note'>): string | null {
  try {
    return readFileSync(note, 'utf8').trim() || null;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return null;
  }
}

/** Ticks of a process's start time in a second, the same on all Linux platforms. Source: time(7), USER_HZ. */
const TICKS_PER_SECOND = 100;

async function oomRecordOf(
  end: WorkerEnd,
  { group, outputDirectory, attempt }: WorkerIdentity,
): Promise<string | null> {
  const announced = announcedWorker(attemptFiles(outputDirectory, attempt), group);
  const startedUs = (Number(group.startTime ?? 0) / TICKS_PER_SECOND) * 1e6;
  return unseenOomRecord(end, [group.pid, ...(announced === null ? [] : [announced.pid])], startedUs);
}

async function unseenEnd(
  own: readonly CheckpointEntry[],
  worker: WorkerIdentity,
  previous: Owner | null,
): Promise<UnseenEnd> {
  const end = readExitRecord(attemptFiles(worker.outputDirectory, worker.attempt));
  const { bootId } = worker.group;
  const known = end ?? { code: null, signal: null, source: 'vanished' as const };
  const sameBoot = bootId !== null && isSameBoot(bootId, currentBootId());
  return {
    end: known,
    bootChanged: end === null && isCutOff(placeOfWorker(worker, previous)),
    oomRecord: sameBoot ? await oomRecordOf(known, worker) : null,
    resumedFrom: worker.resumedFrom,
    final: own.find(({ manifest }) => manifest?.kinds.includes('final'))?.sequence ?? null,
    ...verifiedBy(own),
    note: noteOf(attemptFiles(worker.outputDirectory, worker.attempt)),
    counted: worker.counted,
  };
}

/** The checkpoints of an attempt that are there still. */
async function ownOf(files: StoreFiles, layout: StoreLayout, { attempt }: WorkerIdentity): Promise<CheckpointEntry[]> {
  const all = await listCheckpoints(files, layout);
  return all.filter((entry) => entry.place === 'session' && entry.manifest?.attempt === attempt);
}

function verifiedBy(own: readonly CheckpointEntry[]): VerifiedSteps {
  const verified = own.filter((entry) => entry.verified);
  const regular = verified.filter(({ manifest }) => manifest !== null && progressOf(manifest.kinds) === 'regular');
  return {
    verifiedStep: Math.max(-1, ...verified.map(({ step }) => step ?? -1)),
    regularStep: Math.max(-1, ...regular.map(({ step }) => step ?? -1)),
  };
}
