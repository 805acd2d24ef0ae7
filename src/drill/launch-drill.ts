/** Level 3 and the replay of one session: which launches, and what their outcomes mean for its recovery. */
import type { Manifest, SessionFile } from '../checkpoint/types.ts';
import { batchScale, learningRateScale } from '../supervisor/machine/restart-policy.ts';
import { deviceWarning } from './backends.ts';
import { versionWarnings } from './checks.ts';
import type { DrilledSession, DrillOptions } from './drilled-session.ts';
import { ownDevices } from './inject/gpus.ts';
import type { Integrity } from './integrity.ts';
import { rehearse } from './rehearsal.ts';
import { oneStepFrom, pointOf, type RehearsalRequest } from './rehearsal-request.ts';
import { differsInHistoryOnly, type ReplayPair, replayBetween, replayPair, skippedReplay } from './replay.ts';
import type { Rehearsal, Replay } from './types.ts';

/** A trainer that has not connected by then is taken for one that trains for real. */
const CONNECT_MS = 120_000;
const TOTAL_MS = 600_000;
/** Of the time that the session took from one checkpoint to the other; a drill has a low priority, and no GPU. */
const REPLAY_TIMES = 5;

export interface Launched {
  readonly level: 3 | 'replay';
  readonly rehearsal: Rehearsal | null;
  readonly replay: Replay | null;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export const NOT_LAUNCHED: Launched = { level: 3, rehearsal: null, replay: null, problems: [], warnings: [] };

interface Findings {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export async function launchDrill(
  session: DrilledSession,
  integrity: Integrity,
  setAside: ReadonlySet<number>,
  options: DrillOptions,
): Promise<Launched> {
  const { file } = session;
  const { chosen } = integrity.choice;
  if (chosen === null) return NOT_LAUNCHED;
  if (file === null) {
    return { ...NOT_LAUNCHED, problems: ['session.json is missing, so that nobody knows what to launch'] };
  }
  const { manifest } = chosen;
  const resume = pointOf(chosen);
  const common = requestOf(session, file, options);
  const { rehearsal } = await rehearse(options.files, {
    ...common,
    resume,
    until: oneStepFrom(resume),
  });
  const first: Findings = {
    problems: rehearsal.outcome === 'done' ? [] : [`level 3: ${rehearsal.reason}`],
    warnings: [
      ...(await fitWarnings(session, manifest, rehearsal)),
      ...(rehearsal.completed ? ['the run has nothing left to train, so that only its restore was proved'] : []),
      ...rehearsal.warnings,
    ],
  };
  const wantsReplay = options.level !== 3;
  const pair = wantsReplay ? replayPair(integrity.manifests, setAside) : null;
  if (rehearsal.outcome !== 'done' || !wantsReplay) return { level: 3, rehearsal, replay: null, ...first };
  if (pair === null) {
    const isAsked = options.level === 'replay';
    const replay = skippedReplay();
    const warnings = [...first.warnings, ...(isAsked ? [`no replay: ${replay.reason}`] : [])];
    return { level: isAsked ? 'replay' : 3, rehearsal, replay, problems: first.problems, warnings };
  }
  const replay = await replayBetween(options.files, pair, replayRequest(session, common, pair, options));
  const second = judgeReplay(replay, hasOtherSource(session, pair.to.manifest));
  return {
    level: 'replay',
    rehearsal,
    replay,
    problems: [...first.problems, ...second.problems],
    warnings: [...first.warnings, ...second.warnings],
  };
}

/** What speaks against a checkpoint in the place that it was put back in, though it went: device, framework, source. */
export async function fitWarnings(
  session: DrilledSession,
  manifest: Manifest,
  { backend, versions }: Rehearsal,
): Promise<string[]> {
  const device = backend === null ? null : deviceWarning(manifest, backend, await ownDevices(process.env));
  const found = [
    ...(device === null ? [] : [device]),
    ...versionWarnings(manifest.versions, versions),
    ...(hasOtherSource(session, manifest) ? ["the trainer's source changed since it was made"] : []),
  ];
  return found.map((text) => `checkpoint ${manifest.sequence}: ${text}`);
}

export type Common = Omit<RehearsalRequest, 'resume' | 'until'>;

export function requestOf({ layout, commandOf }: DrilledSession, file: SessionFile, options: DrillOptions): Common {
  const { trainer, args, cwd } = file.identity;
  const { device, scratchParent, nowMs, cleanup, onProgress, timeoutMs } = options;
  const totalMs = timeoutMs ?? TOTAL_MS;
  return {
    session: layout.session,
    trainer: { path: trainer, args, sourceDigest: file.sourceDigest },
    cwd,
    command: commandOf(args),
    learningRateScale: learningRateScale(file.budget),
    batchScale: batchScale(file.budget),
    device,
    scratchParent,
    limits: { connectMs: Math.min(totalMs, CONNECT_MS), totalMs },
    store: null,
    saveEveryMs: null,
    kill: null,
    memoryBytes: null,
    sessionEnvironment: trainerEnvironment(file),
    environment: {},
    nowMs,
    cleanup,
    onProgress,
  };
}

/** Without our own settings, which a rehearsal has none of. */
function trainerEnvironment({ launch }: SessionFile): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(launch?.environment ?? {}).filter(([name]) => !name.startsWith('NKAT_')));
}

/** With the arguments that made the checkpoint, and as much time as it can need. */
function replayRequest(
  session: DrilledSession,
  common: Common,
  { from, to }: ReplayPair,
  options: DrillOptions,
): Common {
  const trainer = to.manifest.trainer ?? common.trainer;
  const tookMs = Math.max(0, Date.parse(to.manifest.createdAt) - Date.parse(from.manifest.createdAt));
  const totalMs = options.timeoutMs ?? Math.max(TOTAL_MS, REPLAY_TIMES * tookMs);
  return { ...common, trainer, command: session.commandOf(trainer.args), limits: { ...common.limits, totalMs } };
}

/** Pure: what a replay says of the recovery. */
export function judgeReplay(replay: Replay, sourceChanged: boolean): Findings {
  const { outcome, reason, deterministic, rehearsal, from, to } = replay;
  const which = `the replay from checkpoint ${from} to ${to}`;
  switch (outcome) {
    case 'exact':
    case 'skipped':
      return { problems: [], warnings: [] };
    case 'unproved': {
      // It recovered and trained: only the time for the proof was too short.
      const isSlow = rehearsal?.outcome === 'timed-out' && rehearsal.firstStepMs !== null;
      const text = `${which} proved nothing: ${reason}`;
      if (isSlow || sourceChanged) return { problems: [], warnings: [`${text}; more time: --timeout`] };
      return { problems: [text], warnings: [] };
    }
    case 'differs': {
      const text = `${which} is not exact: ${reason}`;
      if (deterministic === false)
        return { problems: [], warnings: [`${text}; its backend is known not to repeat itself`] };
      if (sourceChanged) return { problems: [], warnings: [`${text}; the trainer's source changed since`] };
      if (differsInHistoryOnly(replay)) return { problems: [], warnings: [text] };
      return { problems: [text], warnings: [] };
    }
  }
}

/** False also where nobody knows. */
function hasOtherSource({ sourceDigest }: DrilledSession, { trainer }: Manifest): boolean {
  const made = trainer?.sourceDigest ?? null;
  return sourceDigest !== null && made !== null && sourceDigest !== made;
}
