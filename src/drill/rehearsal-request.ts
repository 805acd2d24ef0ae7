/** One launch of a trainer in drill mode: what it is to do, and what came of it. */
import type { TrainerFacts } from '../checkpoint/types.ts';
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
  readonly until: { readonly step: number; readonly epoch: number | null; readonly save: boolean };
  readonly learningRateScale: number;
  readonly device: Device;
  /** Folder in which scratch folders are made. */
  readonly scratchParent: string;
  readonly limits: RehearsalLimits;
  readonly nowMs: () => number;
  readonly cleanup: Cleanup;
  readonly onProgress: (text: string) => void;
}

export interface RehearsalEnd {
  readonly rehearsal: Rehearsal;
  /** What was saved at the boundary, in a scratch folder that stays as long as the drill; null: nothing. */
  readonly saved: { readonly path: string; readonly sequence: number } | null;
}
