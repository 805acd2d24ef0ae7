/** The drill of one session: from what is on the disk to what a user would have after a crash at this moment. */
import { aboutDuration } from '../units.ts';
import type { DrilledSession, DrillOptions } from './drilled-session.ts';
import { breakCopy, launchInjected } from './inject/launch-injected.ts';
import { examine, type Integrity } from './integrity.ts';
import { type Launched, launchDrill, NOT_LAUNCHED } from './launch-drill.ts';
import type { Chosen, DrillTimes, SessionDrill } from './types.ts';

/** @throws NkatError `io`, `no-space`, `preflight` where the drill itself cannot be done */
export async function drillSession(session: DrilledSession, options: DrillOptions): Promise<SessionDrill> {
  const { layout, name, state, file, detectMs, trainerChanged } = session;
  const setAside = new Set(file?.setAside.map(({ sequence }) => sequence));
  const broken = options.injections.length === 0 ? null : await breakCopy(session, options);
  const integrity = await examine(options.files, {
    ...options,
    layout: broken?.copy.layout ?? layout,
    level: options.level === 1 ? 1 : 2,
    setAside,
    quarantine: broken !== null,
  });
  const chosen = chosenOf(integrity);
  const launched =
    broken === null
      ? { injected: [], ...(await launchedOn(session, integrity, setAside, options)) }
      : await launchInjected(session, broken, integrity, options);
  const times = timesOf(detectMs, integrity, launched);
  const { withinMs } = options;
  const within = withinMs === null ? null : { limitMs: withinMs, ok: times.totalMs <= withinMs };
  const turned = broken?.corrupted?.wasBroken === false ? broken.corrupted.path : null;
  const damaged = integrity.checkpoints.filter(({ ok, path }) => !ok && path !== turned);
  const problems = [
    ...(session.isMissing
      ? [`its folder is missing, and the next start would refuse: is the disk of ${layout.directory} mounted?`]
      : chosen === null
        ? [whyNone(integrity)]
        : []),
    ...damaged.map(({ sequence, problems: own }) => `checkpoint ${sequence}: ${own.join('; ')}`),
    ...missingCommit(session, integrity),
    ...launched.problems,
    ...(within?.ok === false ? [tooSlow(times.totalMs, within.limitMs)] : []),
  ];
  return {
    session: layout.session,
    name,
    state,
    level: broken === null ? (options.level ?? launched.level) : launched.level,
    ok: problems.length === 0,
    trainerChanged,
    checkpoints: integrity.checkpoints,
    chosen,
    stepsLost: Math.max(0, session.reachedStep - (chosen?.step ?? 0)),
    times,
    rehearsal: launched.rehearsal,
    replay: launched.replay,
    injected: launched.injected,
    within,
    problems,
    warnings: [...(trainerChanged ? [CHANGED] : []), ...integrity.warnings, ...launched.warnings],
  };
}

/** The levels that launch the trainer. */
async function launchedOn(
  session: DrilledSession,
  integrity: Integrity,
  setAside: ReadonlySet<number>,
  options: DrillOptions,
): Promise<Launched> {
  if (options.level === 1 || options.level === 2) return NOT_LAUNCHED;
  return launchDrill(session, integrity, setAside, options);
}

const CHANGED = "the trainer's source changed since its last launch: what was saved may not fit it any more";

function timesOf(detectMs: number, { chooseMs, verifyMs }: Integrity, { rehearsal }: Launched): DrillTimes {
  const restoreMs = rehearsal?.restoreMs ?? null;
  const firstStepMs = rehearsal?.firstStepMs ?? null;
  const totalMs = detectMs + chooseMs + verifyMs + (restoreMs ?? 0) + (firstStepMs ?? 0);
  return { detectMs, chooseMs, verifyMs, restoreMs, firstStepMs, totalMs };
}

function tooSlow(totalMs: number, limitMs: number): string {
  return `recovery took ${aboutDuration(totalMs)}, which is more than ${aboutDuration(limitMs)}`;
}

function chosenOf({ choice: { chosen } }: Integrity): Chosen | null {
  if (chosen === null) return null;
  const { sequence, step, epoch, createdAt } = chosen.manifest;
  return { sequence, step, epoch, createdAt, path: chosen.path };
}

function whyNone({ choice: { candidates } }: Integrity): string {
  if (candidates.length === 0) return 'there is no checkpoint yet: a crash now would lose everything';
  return 'no checkpoint verifies: nothing could be recovered';
}

/** A commit that was acknowledged and is nowhere: only a person, or a disk, takes the newest one away. */
function missingCommit({ file }: DrilledSession, { choice, checkpoints }: Integrity): string[] {
  const last = file?.lastCommit?.sequence;
  if (last === undefined) return [];
  const known = [...choice.candidates, ...checkpoints].some(({ sequence }) => sequence >= last);
  return known ? [] : [`checkpoint ${last}, the newest that was reported as saved, is not there`];
}
