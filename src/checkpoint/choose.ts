/**
 * What to resume from: newest first, each read at level 2, the first that verifies is taken. Every candidate leaves
 * with a verdict and a reason that can be shown.
 */
import { resolve } from 'node:path';
import { errnoOf, NkatError } from '../errors.ts';
import { describeDamages } from './damage-text.ts';
import type { StoreFiles } from './files.ts';
import type { StoreLayout } from './layout.ts';
import { listPlace, listSession } from './list.ts';
import { listQuarantine, quarantineCheckpoint } from './quarantine.ts';
import type { Candidate, CandidateVerdict, CheckpointEntry, Choice, Verdict } from './types.ts';
import { markVerified, removeMark } from './verified-marker.ts';
import { verifyCheckpoint } from './verify.ts';

export interface ChooseRequest {
  readonly layout: StoreLayout;
  /** Sequences not to be taken although they verify: crashes follow them. */
  readonly setAside: ReadonlySet<number>;
  /** Move what is damaged aside. Only for the owner of the session. */
  readonly quarantine: boolean;
  /** The operator's own pick, by sequence or path; also of one that was set aside. */
  readonly only?: number | string;
  readonly onReading?: OnReading;
  /** Takes the place of {@link verifyCheckpoint}, for who wants to see what it says or how long it takes. */
  readonly verify?: typeof verifyCheckpoint;
}

/** Told while candidates are read, which takes minutes for large ones: which, and how much of it. */
export type OnReading = (reading: {
  readonly sequence: number;
  readonly step: number | null;
  readonly readBytes: number;
  readonly totalBytes: number;
}) => void;

type Chosen = NonNullable<Choice['chosen']>;

/**
 * Tries the session's checkpoints, newest sequence first, then its backups. What cannot be read or is of a newer
 * format is passed over and stays. @throws NkatError `io` when the session's directory cannot be listed
 */
export async function chooseCheckpoint(files: StoreFiles, request: ChooseRequest): Promise<Choice> {
  const { layout, onReading, verify = verifyCheckpoint } = request;
  const earlier = await listQuarantine(files, layout);
  const backups = await backupsOf(files, layout);
  const entries = [...(await listSession(files, layout)), ...backups.entries];
  const candidates: Candidate[] = [];
  let chosen: Chosen | null = null;
  for (const entry of entries) {
    const { sequence, step } = entry;
    const passed = chosen === null ? passedOver(entry, request) : notNeeded(chosen);
    if (passed !== null) {
      candidates.push(candidate(entry, ...passed));
      continue;
    }
    const verdict = await verify(files, entry.path, {
      session: layout.session,
      level: 2,
      onRead: (readBytes, totalBytes) => onReading?.({ sequence, step, readBytes, totalBytes }),
    });
    if (verdict.status === 'verified') {
      chosen = { path: entry.path, manifest: verdict.manifest };
      if (request.quarantine) await mark(files, entry.path);
      candidates.push(candidate(entry, 'chosen', whyChosen(entry, request)));
    } else {
      candidates.push(await rejected(files, request, entry, verdict));
    }
  }
  for (const { sequence, step, path, reason } of earlier) {
    const text = `was quarantined earlier: ${reason}`;
    const verdict = 'damaged';
    candidates.push({
      sequence,
      step,
      epoch: null,
      place: 'quarantine',
      path,
      verdict,
      reason: text,
      quarantinedTo: null,
    });
  }
  return { chosen, candidates: [...candidates, ...backups.problem] };
}

async function rejected(
  files: StoreFiles,
  request: ChooseRequest,
  entry: CheckpointEntry,
  verdict: Exclude<Verdict, { status: 'verified' }>,
): Promise<Candidate> {
  switch (verdict.status) {
    case 'gone':
      return candidate(entry, 'gone', 'it was removed while it was looked at');
    case 'unreadable':
      // Rotation must not take it for one that is known to be whole: see `whyUnreadable`.
      if (request.quarantine) await removeMark(files, entry.path);
      return candidate(entry, 'unreadable', `it could not be read (${verdict.reason}); it stays where it is`);
    case 'newer-format':
      return candidate(entry, 'newer-format', `it was ${verdict.reason}`);
    case 'damaged':
      return damaged(files, request, entry, describeDamages(verdict.damages));
  }
}

const QUARANTINED_FOR = 'it is damaged and was quarantined: ';

/** Why it was quarantined, without the words that it was. */
export function quarantineCause({ reason }: Pick<Candidate, 'reason'>): string {
  return reason.startsWith(QUARANTINED_FOR) ? reason.slice(QUARANTINED_FOR.length) : reason;
}

async function damaged(
  files: StoreFiles,
  request: ChooseRequest,
  entry: CheckpointEntry,
  reason: string,
): Promise<Candidate> {
  if (!request.quarantine) return candidate(entry, 'damaged', `it is damaged: ${reason}`);
  try {
    const quarantinedTo = await quarantineCheckpoint(files, request.layout, entry.path, reason);
    return { ...candidate(entry, 'damaged', `${QUARANTINED_FOR}${reason}`), quarantinedTo };
  } catch (error) {
    // A disk that refuses the move must not keep the run from an older checkpoint that verifies.
    if (!(error instanceof NkatError)) throw error;
    return candidate(entry, 'damaged', `it is damaged: ${reason}; it could not be quarantined: ${error.message}`);
  }
}

function passedOver(entry: CheckpointEntry, request: ChooseRequest): [CandidateVerdict, string] | null {
  const { only, setAside } = request;
  if (only !== undefined) {
    const isAsked = typeof only === 'number' ? entry.sequence === only : resolve(only) === resolve(entry.path);
    return isAsked ? null : ['not-needed', 'another one was asked for'];
  }
  if (!setAside.has(entry.sequence)) return null;
  return ['set-aside', 'it was set aside: the run crashed repeatedly after it, or went on from an earlier one'];
}

function notNeeded({ manifest }: Chosen): [CandidateVerdict, string] {
  return ['not-needed', `checkpoint ${manifest.sequence} was taken`];
}

function whyChosen(entry: CheckpointEntry, { only }: ChooseRequest): string {
  if (only !== undefined) return 'it was asked for and verifies';
  return entry.place === 'backup'
    ? 'no checkpoint of the session verifies, this backup does'
    : 'the newest that verifies';
}

function candidate(entry: CheckpointEntry, verdict: CandidateVerdict, reason: string): Candidate {
  const { sequence, step, manifest, place, path } = entry;
  return { sequence, step, epoch: manifest?.epoch ?? null, place, path, verdict, reason, quarantinedTo: null };
}

/** Backups may lie on another disk: where they cannot be listed, that is said, and the session's own are tried. */
async function backupsOf(
  files: StoreFiles,
  { backups }: StoreLayout,
): Promise<{ readonly entries: readonly CheckpointEntry[]; readonly problem: readonly Candidate[] }> {
  try {
    return { entries: await listPlace(files, backups, 'backup'), problem: [] };
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    const reason = `the backups cannot be listed (${errno})`;
    const shown = { sequence: 0, step: null, epoch: null, place: 'backup', path: backups } as const;
    return { entries: [], problem: [{ ...shown, verdict: 'unreadable', reason, quarantinedTo: null }] };
  }
}

/** Only a hint; a disk that takes no more writes does not make the checkpoint worse. */
async function mark(files: StoreFiles, path: string): Promise<void> {
  try {
    await markVerified(files, path, 2);
  } catch (error) {
    if (errnoOf(error) === null) throw error;
  }
}
