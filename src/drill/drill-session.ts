/** The drill of one session: from what is on the disk to what a user would have after a crash at this moment. */
import type { StoreFiles } from '../checkpoint/files.ts';
import type { StoreLayout } from '../checkpoint/layout.ts';
import type { SessionFile } from '../checkpoint/types.ts';
import type { SessionState } from '../words.ts';
import type { Cleanup } from './cleanup.ts';
import { examine, type Integrity } from './integrity.ts';
import type { Chosen, DrillLevel, SessionDrill } from './types.ts';

/** A session that was found, and how it stands. */
export interface DrilledSession {
  readonly layout: StoreLayout;
  readonly name: string | null;
  readonly state: SessionState;
  /** Null: the directory has lost its `session.json`. */
  readonly file: SessionFile | null;
  /** The highest step that anybody has heard of. */
  readonly reachedStep: number;
  readonly trainerChanged: boolean;
  /** How long it took to find all that out. */
  readonly detectMs: number;
}

export interface DrillOptions {
  readonly files: StoreFiles;
  readonly level: DrillLevel;
  readonly versions: Readonly<Record<string, string>>;
  readonly nowMs: () => number;
  readonly cleanup: Cleanup;
  readonly onProgress: (text: string) => void;
}

/** @throws NkatError `io` when the session's directory cannot be listed */
export async function drillSession(session: DrilledSession, options: DrillOptions): Promise<SessionDrill> {
  const { layout, name, state, file, detectMs, trainerChanged } = session;
  const integrity = await examine(options.files, {
    ...options,
    layout,
    level: options.level === 1 ? 1 : 2,
    setAside: new Set(file?.setAside.map(({ sequence }) => sequence)),
    quarantine: false,
  });
  const chosen = chosenOf(integrity);
  const damaged = integrity.checkpoints.filter(({ ok }) => !ok);
  const problems = [
    ...(chosen === null ? [whyNone(integrity)] : []),
    ...damaged.map(({ sequence, problems: own }) => `checkpoint ${sequence}: ${own.join('; ')}`),
    ...missingCommit(session, integrity),
  ];
  const { chooseMs, verifyMs } = integrity;
  return {
    session: layout.session,
    name,
    state,
    level: options.level,
    ok: problems.length === 0,
    trainerChanged,
    checkpoints: integrity.checkpoints,
    chosen,
    stepsLost: Math.max(0, session.reachedStep - (chosen?.step ?? 0)),
    times: {
      detectMs,
      chooseMs,
      verifyMs,
      restoreMs: null,
      firstStepMs: null,
      totalMs: detectMs + chooseMs + verifyMs,
    },
    problems,
    warnings: [...(trainerChanged ? [CHANGED] : []), ...integrity.warnings],
  };
}

const CHANGED = "the trainer's source changed since its last launch: what was saved may not fit it any more";

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
