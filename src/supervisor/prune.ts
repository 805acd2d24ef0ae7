/** Pruning as one operation: what goes is planned over all sessions, then each is claimed, pruned and given back. */
import { dirname } from 'node:path';
import { acquireClaim, releaseClaim } from '../checkpoint/claim.ts';
import type { StoreFiles } from '../checkpoint/files.ts';
import type { StoreLayout } from '../checkpoint/layout.ts';
import { deleteSession, emptyRootTrash, pruneSession, type Survey, surveySession } from '../checkpoint/prune.ts';
import { type PruneRules, planPrune } from '../checkpoint/prune-plan.ts';
import { NkatError } from '../errors.ts';
import type { SessionsDatabase } from '../sessions/database.ts';
import { sessionUser } from './session-user.ts';

/** A stable word of `prune --json`. */
export type RemovalKind = 'checkpoint' | 'quarantined' | 'trash' | 'session';

export interface Removal {
  readonly session: string;
  readonly kind: RemovalKind;
  readonly path: string;
  readonly sequence: number | null;
  readonly step: number | null;
  /** ISO 8601; null where it is not known. */
  readonly createdAt: string | null;
  readonly bytes: number;
  /** Why it lay in quarantine. */
  readonly reason: string | null;
}

export interface Spared {
  readonly session: string;
  readonly why: 'held' | 'unsafe' | 'unreadable';
  readonly message: string;
}

export interface PruneTarget {
  readonly layout: StoreLayout;
  /** The whole directory goes. */
  readonly whole: boolean;
}

export interface PruneOrder {
  readonly targets: readonly PruneTarget[];
  readonly rules: PruneRules;
  readonly quarantine: boolean;
}

export interface PlannedPrune {
  readonly order: PruneOrder;
  readonly surveys: readonly Survey[];
  readonly removals: readonly Removal[];
  readonly spared: readonly Spared[];
  /** Bytes of all checkpoints that stay. */
  readonly remainingBytes: number;
}

export type PruneProgress = (done: number, total: number) => void;

/** What would go. Changes nothing. */
export async function planPruning(
  files: StoreFiles,
  order: PruneOrder,
  onProgress: PruneProgress,
): Promise<PlannedPrune> {
  const surveys: Survey[] = [];
  const spared: Spared[] = [];
  for (const [index, target] of order.targets.entries()) {
    const { session } = target.layout;
    try {
      const use = await sessionUser(files, target.layout.directory);
      if (use.holder !== null) spared.push({ session, why: 'held', message: use.holder });
      surveys.push(await surveySession(files, { layout: target.layout, mayChange: use.holder === null, ...use }));
    } catch (error) {
      if (!(error instanceof NkatError)) throw error;
      spared.push({ session, why: 'unreadable', message: error.message });
    }
    onProgress(index + 1, order.targets.length);
  }
  const whole = new Set(order.targets.filter((target) => target.whole).map(({ layout }) => layout.session));
  const plan = planPrune(
    surveys.filter(({ session }) => !whole.has(session)),
    order.rules,
  );
  const surveyed = new Map(surveys.map((survey) => [survey.session, survey]));
  const checkpoints = plan.removals.map(({ session, entry }) => checkpointRemoval(session, entry));
  const rest = surveys.filter(({ mayChange }) => mayChange);
  const removals = [
    ...rest.filter(({ session }) => whole.has(session)).map(wholeRemoval),
    ...checkpoints.filter(({ session }) => surveyed.get(session)?.mayChange === true),
    ...rest.filter(({ session }) => !whole.has(session)).flatMap((survey) => litter(survey, order.quarantine)),
  ];
  return { order, surveys, removals, spared, remainingBytes: plan.remainingBytes };
}

export interface PruneReport {
  readonly removed: readonly Removal[];
  readonly spared: readonly Spared[];
  readonly freedBytes: number;
}

/**
 * Carries a plan out, session by session, each under a claim of its own: a `run` that starts meanwhile is refused, and
 * one that started since the plan was made keeps its session from us.
 * @throws NkatError `io` when a disk fails
 */
export async function carryOutPruning(
  files: StoreFiles,
  sessions: SessionsDatabase,
  plan: PlannedPrune,
  onProgress: PruneProgress,
): Promise<PruneReport> {
  const removed: Removal[] = [];
  const spared = [...plan.spared];
  const concerned = plan.surveys.filter(({ session }) => plan.removals.some((removal) => removal.session === session));
  for (const [index, survey] of concerned.entries()) {
    const result = await pruneClaimed(files, sessions, plan, survey);
    removed.push(...result.removed);
    spared.push(...result.spared);
    onProgress(index + 1, concerned.length);
  }
  for (const root of new Set(plan.order.targets.map(({ layout }) => dirname(layout.directory)))) {
    await emptyRootTrash(files, root);
  }
  return { removed, spared, freedBytes: removed.reduce((sum, { bytes }) => sum + bytes, 0) };
}

async function pruneClaimed(
  files: StoreFiles,
  sessions: SessionsDatabase,
  plan: PlannedPrune,
  planned: Survey,
): Promise<{ readonly removed: readonly Removal[]; readonly spared: readonly Spared[] }> {
  const { layout, session } = planned;
  const heldBy = (message: string) => ({ removed: [], spared: [{ session, why: 'held' as const, message }] });
  const before = await sessionUser(files, layout.directory);
  if (before.holder !== null) return heldBy(before.holder);
  const outcome = await acquireClaim(files, layout.directory, { role: 'supervisor', takeOver: false });
  if (outcome.status === 'held') return heldBy(`pid ${outcome.by.pid} on ${outcome.by.host} owns it`);
  const removals = plan.removals.filter((removal) => removal.session === session);
  if (removals.some(({ kind }) => kind === 'session')) {
    const bytes = await deleteSession(files, dirname(layout.directory), layout);
    await sessions.write((tables) => tables.sessions.remove(session));
    return { removed: [{ ...wholeRemoval(planned), bytes }], spared: [] };
  }
  try {
    const survey = await surveySession(files, { layout, mayChange: true, resumedFrom: before.resumedFrom });
    const agreed = pathsOf(removals, 'checkpoint');
    const quarantine = pathsOf(removals, 'quarantined');
    const pruned = await pruneSession(files, { survey, rules: plan.order.rules, agreed, quarantine });
    await sessions.write(({ checkpoints }) => {
      for (const { sequence } of [...pruned.removed, ...pruned.quarantined]) {
        checkpoints.setState(session, sequence, 'removed');
      }
    });
    const removed = [
      ...pruned.removed.map((entry) => checkpointRemoval(session, entry)),
      ...litter({ ...survey, quarantined: pruned.quarantined }, true),
    ];
    const message = pruned.spared;
    return { removed, spared: message === null ? [] : [{ session, why: 'unsafe', message }] };
  } finally {
    await releaseClaim(files, layout.directory, outcome.claim);
  }
}

function pathsOf(removals: readonly Removal[], kind: RemovalKind): Set<string> {
  return new Set(removals.filter((removal) => removal.kind === kind).map(({ path }) => path));
}

function checkpointRemoval(
  session: string,
  entry: {
    readonly path: string;
    readonly sequence: number;
    readonly createdMs: number | null;
    readonly bytes: number;
  },
): Removal {
  const { path, sequence, createdMs, bytes } = entry;
  const createdAt = createdMs === null || Number.isNaN(createdMs) ? null : new Date(createdMs).toISOString();
  return { session, kind: 'checkpoint', path, sequence, step: stepIn(path), createdAt, bytes, reason: null };
}

function stepIn(path: string): number | null {
  const step = /_(\d+)_\d+$/.exec(path)?.[1];
  return step === undefined ? null : Number(step);
}

function wholeRemoval({ session, layout, entries, quarantined, trashBytes }: Survey): Removal {
  const bytes = [...entries, ...quarantined].reduce((sum, entry) => sum + entry.bytes, trashBytes);
  const nothing = { sequence: null, step: null, createdAt: null, reason: null };
  return { session, kind: 'session', path: layout.directory, bytes, ...nothing };
}

/** What lies there beside the checkpoints: quarantine, if it goes, and what an interrupted removal left. */
function litter({ session, layout, quarantined, trashBytes }: Survey, quarantine: boolean): Removal[] {
  const nothing = { sequence: null, step: null, createdAt: null, reason: null };
  const trash: Removal = { session, kind: 'trash', path: layout.directory, bytes: trashBytes, ...nothing };
  const entries = quarantine ? quarantined : [];
  return [
    ...entries.map(
      ({ path, sequence, step, at, bytes, reason }): Removal => ({
        ...{ session, kind: 'quarantined', path, sequence, step, createdAt: at, bytes, reason },
      }),
    ),
    ...(trashBytes > 0 ? [trash] : []),
  ];
}
