/** What a drill finds out; behaviour lives in the files beside this one. */
import type { SessionState } from '../words.ts';
import type { Injected } from './inject/injections.ts';

/** 1: every byte. 2: and what is in it. 3: the trainer loads it and makes a step. replay: and trains again, bit by bit. */
export type DrillLevel = 1 | 2 | 3 | 'replay';

export const CHECKS = ['exists', 'loadable', 'model', 'optimizer', 'structure', 'finite', 'compatible'] as const;
export type CheckName = (typeof CHECKS)[number];

/** Null: not looked at on this level, or nobody can tell. */
export type Checks = Readonly<Record<CheckName, boolean | null>>;

export interface CheckpointDrill {
  readonly sequence: number;
  readonly step: number | null;
  readonly epoch: number | null;
  readonly kinds: readonly string[];
  readonly place: 'session' | 'backup';
  readonly path: string;
  /** ISO 8601; null: its manifest cannot be read. */
  readonly createdAt: string | null;
  readonly backend: string | null;
  readonly checks: Checks;
  readonly ok: boolean;
  /** Why it is not ok. */
  readonly problems: readonly string[];
  /** What does not keep it from being recovered, but wants to be known. */
  readonly warnings: readonly string[];
}

export interface DrillTimes {
  /** Finding out that and how the session stands. */
  readonly detectMs: number;
  /** Listing the candidates and passing over what is not to be taken. */
  readonly chooseMs: number;
  /** Reading the candidates back, down to the one that is taken. */
  readonly verifyMs: number;
  /** From the launch of the trainer until its state is put back; null: not done on this level, or failed. */
  readonly restoreMs: number | null;
  /** From there to the end of its first step. */
  readonly firstStepMs: number | null;
  /** All of them: what a user would wait after a crash. */
  readonly totalMs: number;
}

export interface Chosen {
  readonly sequence: number;
  readonly step: number;
  readonly epoch: number;
  readonly path: string;
  readonly createdAt: string;
}

/** What the real trainer did with a checkpoint. */
export interface Rehearsal {
  /** `done`: it came as far as it was asked to. `killed`: by the drill, as it was asked to. */
  readonly outcome: 'done' | 'killed' | 'failed' | 'timed-out';
  /** Why it failed or took too long; null: it did not. */
  readonly reason: string | null;
  /** Sequence of the checkpoint that it began with. */
  readonly from: number;
  readonly backend: string | null;
  /** Of its framework, as it told them; empty: it told none. */
  readonly versions: Readonly<Record<string, string>>;
  /** From the launch until the state was put back; null: it never was. */
  readonly restoreMs: number | null;
  /** From there to the end of the first step; null: none was made. */
  readonly firstStepMs: number | null;
  /** Highest step that it told of. */
  readonly reachedStep: number | null;
  readonly loss: number | null;
  /** The trainer had nothing left to train. */
  readonly completed: boolean;
  /** What it printed last on stderr, where it failed. */
  readonly lastLines: readonly string[];
  readonly warnings: readonly string[];
}

/** One tensor that two runs disagree on. */
export interface TensorDifference {
  readonly name: string;
  /** Part of the metric history, which no later step depends on. */
  readonly isHistory: boolean;
  /** Elements that differ; null: their number differs, or nobody can read this dtype. */
  readonly elements: number | null;
  /** Null: not to be reckoned (other shapes, values that are no numbers). */
  readonly largestAbsolute: number | null;
  readonly largestRelative: number | null;
}

export interface Replay {
  /** `skipped`: there is no pair of checkpoints that could prove it. */
  readonly outcome: 'exact' | 'differs' | 'unproved' | 'skipped';
  readonly reason: string | null;
  readonly from: number | null;
  readonly to: number | null;
  readonly steps: number | null;
  /** True: it differs as this backend is known to; false: it repeats itself; null: nobody promises either. */
  readonly deterministic: boolean | null;
  readonly tensors: readonly TensorDifference[];
  /** Places in `state.json` that differ. */
  readonly state: readonly string[];
  readonly rehearsal: Rehearsal | null;
}

export interface SessionDrill {
  readonly session: string;
  readonly name: string | null;
  readonly state: SessionState;
  readonly level: DrillLevel;
  readonly ok: boolean;
  /** The trainer's source differs from that of the session's last launch. */
  readonly trainerChanged: boolean;
  /** Newest first. */
  readonly checkpoints: readonly CheckpointDrill[];
  /** What the next launch would go on from; null: nothing verifies. */
  readonly chosen: Chosen | null;
  /** Steps that a crash at this moment would lose. */
  readonly stepsLost: number;
  readonly times: DrillTimes;
  /** Null: not done on this level, or there is nothing to begin with. */
  readonly rehearsal: Rehearsal | null;
  readonly replay: Replay | null;
  /** What was broken on purpose, in a copy, and whether the session came back from it. */
  readonly injected: readonly Injected[];
  /** Null: no limit was given. */
  readonly within: { readonly limitMs: number; readonly ok: boolean } | null;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export interface DrillReport {
  readonly drill: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly ok: boolean;
  readonly sessions: readonly SessionDrill[];
}
