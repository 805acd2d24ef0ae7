/** What a drill is told: the session, and how to go about it. */
import type { StoreFiles } from '../checkpoint/files.ts';
import type { StoreLayout } from '../checkpoint/layout.ts';
import type { SessionFile } from '../checkpoint/types.ts';
import type { SessionState } from '../words.ts';
import type { Device } from './backends.ts';
import type { Cleanup } from './cleanup.ts';
import type { NamedInjection } from './inject/injections.ts';
import type { DrillLevel } from './types.ts';

/** A session that was found, and how it stands. */
export interface DrilledSession {
  readonly layout: StoreLayout;
  readonly name: string | null;
  readonly state: SessionState;
  /** Its directory is not there: the next start would refuse, whatever its backups hold. */
  readonly isMissing: boolean;
  /** Null: the directory has lost its `session.json`. */
  readonly file: SessionFile | null;
  /** The highest step that anybody has heard of. */
  readonly reachedStep: number;
  readonly trainerChanged: boolean;
  /** Digest of the trainer's source as it is now; null: it is no script, or not there. */
  readonly sourceDigest: string | null;
  /** What is run for these arguments in place of Node, preload and trainer; null: those. */
  readonly commandOf: (args: readonly string[]) => readonly string[] | null;
  /** How long it took to find all that out. */
  readonly detectMs: number;
}

export interface DrillOptions {
  readonly files: StoreFiles;
  /** Null: replay where two checkpoints allow it, else 3. */
  readonly level: DrillLevel | null;
  /** Faults to survive, on a copy; none: the session's own checkpoints are read, and no copy is made. */
  readonly injections: readonly NamedInjection[];
  readonly device: Device;
  /** For each launch of the trainer; null: 10 minutes, or longer where a replay has more to do. */
  readonly timeoutMs: number | null;
  /** How long a whole recovery may take; null: no limit. */
  readonly withinMs: number | null;
  /** Folder in which scratch folders are made. */
  readonly scratchParent: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly nowMs: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly cleanup: Cleanup;
  readonly onProgress: (text: string) => void;
}
