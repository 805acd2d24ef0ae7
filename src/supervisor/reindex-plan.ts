/**
 * Which rows follow from what stands in a session's directory. Pure: the directory is the truth of what was committed,
 * and of everything else as long as the index knows nothing newer.
 */
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { CheckpointEntry, Manifest, SessionFile } from '../checkpoint/types.ts';
import type { Tables } from '../sessions/tables.ts';
import type { AttemptRow, CheckpointRow, CheckpointState, SessionRow, SessionUpsert } from '../sessions/types.ts';
import { checkpointRow, startedAttempt } from './index-rows.ts';

/** A session's directory as it was read. */
export interface FoundSession {
  readonly id: string;
  readonly root: string;
  /** Null: it was lost; the checkpoints still tell most of it. */
  readonly file: SessionFile | null;
  readonly backups: string;
  /** Newest first, those of the session before its backups. */
  readonly entries: readonly CheckpointEntry[];
  readonly quarantined: readonly {
    readonly sequence: number;
    readonly path: string;
    readonly manifest: Manifest | null;
  }[];
  /** Identifies this state of the directory. */
  readonly change: string;
}

export interface IndexedRows {
  readonly session: SessionRow | null;
  readonly attempts: readonly AttemptRow[];
  readonly checkpoints: readonly CheckpointRow[];
}

export interface ReindexPlan {
  readonly id: string;
  readonly change: string;
  /** Null: the row says the same or something newer. */
  readonly session: SessionUpsert | null;
  readonly attempts: readonly AttemptRow[];
  readonly checkpoints: readonly CheckpointRow[];
}

export function planReindex(found: FoundSession, indexed: IndexedRows): ReindexPlan {
  const checkpoints = checkpointRows(found, indexed.checkpoints);
  return {
    id: found.id,
    change: found.change,
    session: sessionRow(found, indexed.session),
    attempts: attemptRows(found, indexed.attempts),
    checkpoints,
  };
}

/** Writes a plan; to be called inside `SessionsDatabase.write`. */
export function applyReindexPlan(tables: Tables, plan: ReindexPlan): void {
  if (plan.session !== null) tables.sessions.upsert(plan.session);
  for (const row of plan.attempts) tables.attempts.upsert(row);
  for (const row of plan.checkpoints) tables.checkpoints.upsert(row);
  tables.sessions.markIndexed(plan.id, plan.change);
}

function newestManifest(found: FoundSession): Manifest | null {
  return found.entries.find(({ manifest }) => manifest !== null)?.manifest ?? null;
}

function sessionRow(found: FoundSession, known: SessionRow | null): SessionUpsert | null {
  const { file } = found;
  if (known !== null && (file === null || known.updatedAt >= file.updatedAt)) {
    return known.root === found.root ? null : { ...known, root: found.root, backups: found.backups };
  }
  const newest = newestManifest(found);
  const base = file === null ? rowOfManifests(found) : rowOfFile(found, file);
  const step = Math.max(file?.lastStep ?? 0, newest?.step ?? 0, known?.step ?? 0);
  // Epoch and loss belong to their step: of a worker that trained on alone the newest checkpoint knows better.
  const isFurther = newest !== null && newest.step > (known?.step ?? -1);
  return {
    ...base,
    epoch: (isFurther ? newest.epoch : known?.epoch) ?? newest?.epoch ?? null,
    step: step === 0 && newest === null ? null : step,
    totalSteps: known?.totalSteps ?? null,
    loss: (isFurther ? newest.metrics.loss : known?.loss) ?? newest?.metrics.loss ?? null,
    bestMetric: known?.bestMetric ?? null,
    supervisorPid: known?.supervisorPid ?? null,
    workerPid: known?.workerPid ?? null,
  };
}

type Told = Omit<
  SessionUpsert,
  'epoch' | 'step' | 'totalSteps' | 'loss' | 'bestMetric' | 'supervisorPid' | 'workerPid'
>;

function rowOfFile({ id, root, backups }: FoundSession, file: SessionFile): Told {
  return {
    id,
    root,
    backups,
    name: file.identity.name,
    state: file.state,
    trainer: file.identity.trainer,
    args: file.identity.args,
    cwd: file.identity.cwd,
    createdAt: file.createdAt,
    updatedAt: file.updatedAt,
    attempts: file.attempts,
    sourceDigest: file.sourceDigest,
    budget: file.budget,
  };
}

/** Without `session.json`: what the checkpoints say. How it ended is not known, only that it did not say so. */
function rowOfManifests(found: FoundSession): Told {
  const manifests = found.entries.flatMap(({ manifest }) => manifest ?? []);
  const [newest] = manifests;
  const times = manifests.map(({ createdAt }) => createdAt).sort();
  const trainer = newest?.trainer ?? null;
  return {
    id: found.id,
    root: found.root,
    backups: found.backups,
    name: null,
    state: 'crashed',
    trainer: trainer?.path ?? '',
    args: trainer?.args ?? [],
    cwd: trainer === null ? '' : dirname(trainer.path),
    createdAt: times[0] ?? '',
    updatedAt: times.at(-1) ?? '',
    attempts: Math.max(0, ...manifests.map(({ attempt }) => attempt)),
    sourceDigest: trainer?.sourceDigest ?? null,
    budget: null,
  };
}

/** Attempts that left a trace and are not known. Their start is the first sign of them. */
function attemptRows(found: FoundSession, known: readonly AttemptRow[]): AttemptRow[] {
  const knownNumbers = new Set(known.map(({ number }) => number));
  const traces = new Map<number, Manifest[]>();
  for (const { manifest } of [...found.entries, ...found.quarantined]) {
    if (manifest !== null) traces.set(manifest.attempt, [...(traces.get(manifest.attempt) ?? []), manifest]);
  }
  const worker = found.file?.worker ?? null;
  if (worker !== null && !traces.has(worker.attempt)) traces.set(worker.attempt, []);
  return [...traces]
    .filter(([number]) => number > 0 && !knownNumbers.has(number))
    .sort(([a], [b]) => a - b)
    .map(([number, manifests]) => {
      const group = worker?.attempt === number ? worker.group : null;
      const times = manifests.map(({ createdAt }) => createdAt).sort();
      return {
        ...startedAttempt(found.id, number, times[0] ?? found.file?.updatedAt ?? ''),
        lastStep: manifests.length === 0 ? null : Math.max(...manifests.map(({ step }) => step)),
        groupPid: group?.pid ?? null,
        startTime: group?.startTime ?? null,
        bootId: group?.bootId ?? null,
      };
    });
}

/** Rows that differ from what the index says: found ones, moved ones, and those whose directory is gone. */
function checkpointRows(found: FoundSession, known: readonly CheckpointRow[]): CheckpointRow[] {
  const rows = new Map<number, CheckpointRow>();
  const seen = new Set<number>();
  const setAside = new Set(found.file?.setAside.map(({ sequence }) => sequence));
  for (const { sequence, manifest, path, verified } of found.entries) {
    seen.add(sequence);
    if (manifest === null || rows.has(sequence)) continue;
    const state = setAside.has(sequence) ? 'set-aside' : verified ? 'verified' : 'durable';
    rows.set(sequence, checkpointRow(found.id, manifest, path, state));
  }
  for (const { sequence, manifest, path } of found.quarantined) {
    if (seen.has(sequence)) continue;
    seen.add(sequence);
    const row = known.find((one) => one.sequence === sequence);
    if (manifest !== null) rows.set(sequence, checkpointRow(found.id, manifest, path, 'quarantined'));
    else if (row !== undefined) rows.set(sequence, { ...row, path, state: 'quarantined' });
  }
  for (const row of known) {
    if (!seen.has(row.sequence) && !['removed', 'missing'].includes(row.state)) {
      rows.set(row.sequence, { ...row, state: stateOfAbsent(row.sequence, found) });
    }
  }
  return [...rows.values()].filter((row) => !says(known, row));
}

/** Retention removes nothing before a newer one is verified: then its absence is as planned. */
function stateOfAbsent(sequence: number, found: FoundSession): CheckpointState {
  return found.entries.some((entry) => entry.verified && entry.sequence > sequence) ? 'removed' : 'missing';
}

function says(known: readonly CheckpointRow[], row: CheckpointRow): boolean {
  const one = known.find(({ sequence }) => sequence === row.sequence);
  if (one === undefined) return false;
  // `verified` is not taken back by a mark that could not be written.
  const same = one.state === 'verified' && row.state === 'durable' ? { ...row, state: one.state } : row;
  return isDeepStrictEqual(one, same);
}
