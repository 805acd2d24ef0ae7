/** One launch of a trainer in drill mode: what it is to do, and what came of it. */
import type { StoreLayout } from '../checkpoint/layout.ts';
import type { Manifest, TrainerFacts } from '../checkpoint/types.ts';
import type { ResumePoint } from '../protocol/messages.ts';
import type { Device } from './backends.ts';
import type { Cleanup } from './cleanup.ts';
import type { Rehearsal } from './types.ts';

export interface RehearsalLimits {
  /** Until the trainer has connected: one that does not speak to us trains for real, and must not for long. */
  readonly connectMs: number;
  /** Until its end. */
  readonly totalMs: number;
}

export interface RehearsalRequest {
  readonly session: string;
  readonly trainer: TrainerFacts;
  readonly cwd: string;
  /** In place of Node, preload and trainer; null: those. */
  readonly command: readonly string[] | null;
  readonly resume: ResumePoint;
  readonly until: {
    readonly step: number;
    readonly epoch: number | null;
    readonly save: boolean;
    readonly fullDisk: boolean;
  };
  readonly learningRateScale: number;
  readonly batchScale?: number;
  readonly device: Device;
  /** Folder in which scratch folders are made. */
  readonly scratchParent: string;
  readonly limits: RehearsalLimits;
  /** A copy of the session to train on in; null: a scratch folder, and nothing is saved unasked. */
  readonly store: StoreLayout | null;
  /** Null: nothing is saved but what is asked for. */
  readonly saveEveryMs: number | null;
  /** When the trainer is to be killed: after its first step, or so long after its launch; null: not. */
  readonly kill: 'first-step' | number | null;
  /** More than that and it is killed, as a small machine would; null: no limit. */
  readonly memoryBytes: number | null;
  /** What the session was started with: a drill at night has almost no environment of its own, as has a recovery at boot. */
  readonly sessionEnvironment: Readonly<Record<string, string>>;
  /** For the trainer, over what the device already says. */
  readonly environment: Readonly<Record<string, string>>;
  readonly nowMs: () => number;
  readonly cleanup: Cleanup;
  readonly onProgress: (text: string) => void;
}

/** Where a launch goes on from. */
export function pointOf({ manifest, path }: { readonly manifest: Manifest; readonly path: string }): ResumePoint {
  const { sequence, step, epoch } = manifest;
  return { sequence, step, epoch, path };
}

/** Its end after one step: the recovery that a user would see. */
export function oneStepFrom({ step }: ResumePoint): RehearsalRequest['until'] {
  return { step: step + 1, epoch: null, save: false, fullDisk: false };
}

export interface RehearsalEnd {
  readonly rehearsal: Rehearsal;
  /** What was saved at the boundary, in a scratch folder that stays as long as the drill; null: nothing. */
  readonly saved: { readonly path: string; readonly sequence: number } | null;
  /** Sequence of the newest checkpoint that it reported as durable; null: none. */
  readonly acknowledged: number | null;
  /** Saves that found no room. */
  readonly refusedSaves: number;
  /** How long it took until nothing of it was left, once it was to be killed; null: it was not. */
  readonly killMs: number | null;
}
