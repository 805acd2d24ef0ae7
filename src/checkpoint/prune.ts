/**
 * Takes checkpoints, quarantine and whole sessions away for an operator. Whoever calls the functions that delete holds
 * the session's claim. Whatever goes is renamed into the trash and synced first, so that a prune that is killed leaves
 * whole checkpoints and a trash for the next one.
 */
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';
import type { StoreFiles } from './files.ts';
import { type StoreLayout, TRASH } from './layout.ts';
import { listSession } from './list.ts';
import { listPins } from './pins.ts';
import {
  type PlannedRemoval,
  type PrunableEntry,
  type PrunableSession,
  type PruneRules,
  planPrune,
} from './prune-plan.ts';
import { listQuarantine, type QuarantinedEntry, removeQuarantined } from './quarantine.ts';
import { retentionEntry } from './retention-entry.ts';
import { readSessionFile } from './session-file.ts';
import { guarded } from './store-error.ts';
import { emptyTrash, moveToTrash } from './trash.ts';
import { treeBytes } from './tree-bytes.ts';
import { whyUnreadable } from './unreadable.ts';
import { verifyCheckpoint } from './verify.ts';

export interface SurveyedQuarantine extends QuarantinedEntry {
  readonly bytes: number;
}

export interface Survey extends PrunableSession {
  readonly layout: StoreLayout;
  readonly quarantined: readonly SurveyedQuarantine[];
  /** Bytes that an interrupted removal left in the trash. */
  readonly trashBytes: number;
}

export interface SurveyRequest {
  readonly layout: StoreLayout;
  readonly mayChange: boolean;
  /** Sequence that a worker resumed from; null: none. */
  readonly resumedFrom: number | null;
}

/** What a session holds. Reads manifests, changes nothing. @throws NkatError `io` */
export async function surveySession(files: StoreFiles, request: SurveyRequest): Promise<Survey> {
  const { layout, mayChange, resumedFrom } = request;
  const file = await readSessionFile(files, layout.directory);
  const setAside = new Set(file?.setAside.map(({ sequence }) => sequence));
  const entries: PrunableEntry[] = (await listSession(files, layout)).map((entry) => ({
    ...retentionEntry(entry, setAside),
    createdMs: entry.manifest === null ? null : Date.parse(entry.manifest.createdAt),
  }));
  const quarantined: SurveyedQuarantine[] = [];
  for (const entry of await listQuarantine(files, layout)) {
    quarantined.push({ ...entry, bytes: await treeBytes(files, entry.path) });
  }
  const inUse = new Set(await listPins(files, layout));
  if (resumedFrom !== null) inUse.add(resumedFrom);
  const trashBytes = await treeBytes(files, join(layout.directory, TRASH));
  return { session: layout.session, layout, entries, inUse, mayChange, quarantined, trashBytes };
}

export interface Pruned {
  readonly removed: readonly PrunableEntry[];
  readonly quarantined: readonly SurveyedQuarantine[];
  readonly trashBytes: number;
  /** Why less went than was planned; null: all of it went. */
  readonly spared: string | null;
}

export interface PruneRequest {
  readonly survey: Survey;
  readonly rules: PruneRules;
  /** Paths of the checkpoints that the operator agreed to lose. */
  readonly agreed: ReadonlySet<string>;
  /** Paths of what goes from the quarantine. */
  readonly quarantine: ReadonlySet<string>;
}

/**
 * Removes what was agreed to and may still go. A mark can be older than the damage, so the newest checkpoint that is
 * marked verified is read back first; nothing goes that is not older than one that verifies now.
 * @throws NkatError `io`
 */
export function pruneSession(files: StoreFiles, { survey, rules, agreed, quarantine }: PruneRequest): Promise<Pruned> {
  const { layout } = survey;
  return guarded('prune the session', layout.directory, async () => {
    const { entries, damaged } = await confirmed(files, survey);
    const may = planPrune([{ ...survey, entries }], { ...rules, keepBytes: null, keep: leastKeep(rules) });
    const { removed, unreadable } = await readableOf(files, survey, may.removals, agreed);
    for (const { path } of removed) await moveToTrash(files, layout.directory, path);
    const isSafe = entries.some(({ verified }) => verified);
    const emptied = isSafe ? survey.quarantined.filter(({ path }) => quarantine.has(path)) : [];
    for (const { path } of emptied) await removeQuarantined(files, path);
    await emptyTrash(files, layout.directory);
    const isLess = removed.length + unreadable.length < agreed.size;
    const spared = sparedWords({ damaged, unreadable, isLess, keepsQuarantine: quarantine.size > 0 && !isSafe });
    return { removed, quarantined: emptied, trashBytes: survey.trashBytes, spared };
  });
}

/** What was agreed to, without what cannot be read for now: nobody knows what that holds. */
async function readableOf(
  files: StoreFiles,
  { layout }: Survey,
  removals: readonly PlannedRemoval[],
  agreed: ReadonlySet<string>,
): Promise<{ readonly removed: readonly PrunableEntry[]; readonly unreadable: readonly number[] }> {
  const removed: PrunableEntry[] = [];
  const unreadable: number[] = [];
  const listed = new Map((await listSession(files, layout)).map((entry) => [entry.path, entry]));
  for (const { entry } of removals) {
    const found = listed.get(entry.path);
    if (!agreed.has(entry.path) || found === undefined) continue;
    if ((await whyUnreadable(files, found, layout.session)) === null) removed.push(entry);
    else unreadable.push(entry.sequence);
  }
  return { removed, unreadable };
}

/** A budget over many sessions was reckoned before: here only the lower bound of what must stay counts. */
function leastKeep({ keep, keepBytes }: PruneRules): number | null {
  return keep ?? (keepBytes === null ? null : 1);
}

/** The entries, newest first, with the marks of the newest ones proven until two hold; the older ones keep theirs. */
async function confirmed(
  files: StoreFiles,
  { layout, entries }: Survey,
): Promise<{ readonly entries: readonly PrunableEntry[]; readonly damaged: readonly number[] }> {
  const proven: PrunableEntry[] = [];
  const damaged: number[] = [];
  let holding = 0;
  for (const entry of [...entries].sort((a, b) => b.sequence - a.sequence)) {
    if (!entry.verified || entry.setAside || holding >= 2) {
      proven.push(entry);
      continue;
    }
    const verdict = await verifyCheckpoint(files, entry.path, { session: layout.session, level: 1 });
    const holds = verdict.status === 'verified';
    if (holds) holding += 1;
    if (verdict.status === 'damaged') damaged.push(entry.sequence);
    proven.push({ ...entry, verified: holds });
  }
  return { entries: proven, damaged };
}

interface SparedFacts {
  readonly damaged: readonly number[];
  readonly unreadable: readonly number[];
  readonly isLess: boolean;
  readonly keepsQuarantine: boolean;
}

function sparedWords({ damaged, unreadable, isLess, keepsQuarantine }: SparedFacts): string | null {
  const parts = [
    ...(damaged.length > 0 ? [`checkpoint ${damaged.join(', ')} is damaged`] : []),
    ...(unreadable.length > 0 ? [`checkpoint ${unreadable.join(', ')} cannot be read and stays`] : []),
    ...(isLess ? ['what is not older than a checkpoint that verifies stays'] : []),
    ...(keepsQuarantine ? ['the quarantine stays: nothing else of this session verifies'] : []),
  ];
  return parts.length === 0 ? null : parts.join('; ');
}

/**
 * Deletes a whole session's directory, claims and all; its backups stay. Durable when it resolves.
 * @returns bytes that it took @throws NkatError `io`
 */
export function deleteSession(files: StoreFiles, root: string, layout: StoreLayout): Promise<number> {
  return guarded('delete the session', layout.directory, async () => {
    const bytes = await treeBytes(files, layout.directory);
    await moveToTrash(files, root, layout.directory);
    await emptyTrash(files, root);
    return bytes;
  });
}

/** What deleted sessions left under a root when their deletion was interrupted. @throws NkatError `io` */
export function emptyRootTrash(files: StoreFiles, root: string): Promise<void> {
  return guarded('empty the trash', root, async () => {
    try {
      await emptyTrash(files, root);
    } catch (error) {
      // A read-only root keeps its trash.
      if (!['EROFS', 'EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) throw error;
    }
  });
}
