/** The data that the checkpoint store speaks of; behaviour lives in the files beside this one. */
import type { RestartBudget, SessionState, StoppedBy } from '../words.ts';

/** Bits per element of every safetensors dtype. Source: the safetensors format's Dtype list. */
export const DTYPE_BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type Dtype = keyof typeof DTYPE_BITS;

/** A tensor as announced before its bytes arrive. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: Dtype;
  /** Sizes of the dimensions; `[]` is a scalar, a 0 anywhere makes the tensor empty. */
  readonly shape: readonly number[];
  /** True for tensors in which NaN and Inf are legitimate (metric history); verification skips them. */
  readonly mayBeNonFinite?: boolean;
}

/** `auto`, `best`, `manual`, `emergency`, `final`, or a custom word of `[a-z0-9-]`. */
export type CheckpointKind = string;

/** What the one who saves knows of the moment; the store adds sequence, claim, host, digests and memory. */
export interface CheckpointFacts {
  readonly step: number;
  readonly epoch: number;
  readonly kinds: readonly CheckpointKind[];
  readonly reason: string | null;
  /** Sequence of the checkpoint that this launch resumed from or last committed; null for the first. */
  readonly parent: number | null;
  readonly attempt: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly backend: string | null;
  /** The cards that the worker might use, and their driver; missing: not known. */
  readonly gpu?: string | null;
  readonly driver?: string | null;
  /** For example `{ node: '20.20.2', 'nkat-recover': '0.1.0', tfjs: '4.22.0' }`. */
  readonly versions: Readonly<Record<string, string>>;
  readonly trainer: TrainerFacts | null;
  /** Figures of the moment beside those that the store takes itself; bytes and counts by name. */
  readonly memory?: Readonly<Record<string, number>>;
}

export interface TrainerFacts {
  readonly path: string;
  readonly args: readonly string[];
  /** XXH3-128 of the trainer's source text, 32 hex digits. */
  readonly sourceDigest: string | null;
}

export interface ManifestTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Byte offset from the start of the data section of `tensors.safetensors`. */
  readonly offset: number;
  readonly bytes: number;
  /** XXH3-128, 32 hex digits. */
  readonly digest: string;
  readonly mayBeNonFinite?: boolean;
}

export interface ManifestFile {
  readonly bytes: number;
  /** XXH3-128 of each 8 MiB chunk in order; an empty file has none. */
  readonly chunks: readonly string[];
}

export interface Manifest extends Omit<CheckpointFacts, 'memory'> {
  readonly format: 'nkat-checkpoint';
  readonly version: number;
  readonly session: string;
  readonly claim: number;
  readonly sequence: number;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly host: string;
  readonly gpu: string | null;
  readonly driver: string | null;
  readonly memory: {
    readonly systemTotalBytes: number;
    readonly systemFreeBytes: number;
    readonly processRssBytes: number;
    /** Further figures, where the one who saved had them. */
    readonly [figure: string]: unknown;
  };
  readonly files: Readonly<Record<string, ManifestFile>>;
  readonly tensors: readonly ManifestTensor[];
  /** Digest of all tensors in name order, independent of time and place: two runs are compared by it. */
  readonly tensorsDigest: string;
  /** XXH3-128 of the manifest's own text with these 32 digits replaced by zeros. */
  readonly digest: string;
}

/** 0 manifest and sizes; 1 every chunk digest, past the page cache; 2 structure and finite values. */
export type VerificationLevel = 0 | 1 | 2;

/** One thing that is wrong, named as closely as the damage allows. */
export interface Damage {
  /** File inside the checkpoint directory, or null when the directory itself is wrong. */
  readonly file: string | null;
  readonly reason: string;
  /** Names of the tensors that the damage touches. */
  readonly tensors: readonly string[];
  /** Chunk number (8 MiB each, from 0) inside `file`, where known. */
  readonly chunk: number | null;
  /** What of the checkpoint is wrong, where it is not simply other bytes than were written. */
  readonly aspect?: DamageAspect;
}

/** Something is not there; header and manifest contradict one another; the values are no numbers. */
export type DamageAspect = 'missing' | 'structure' | 'values';

export type Verdict =
  | { readonly status: 'verified'; readonly level: VerificationLevel; readonly manifest: Manifest }
  | { readonly status: 'damaged'; readonly manifest: Manifest | null; readonly damages: readonly Damage[] }
  /** Written by a newer nkat-recover: neither loaded nor quarantined. */
  | { readonly status: 'newer-format'; readonly version: number; readonly reason: string }
  /** EIO, EACCES, EMFILE...: says nothing about the data, so never quarantined. */
  | { readonly status: 'unreadable'; readonly errno: string; readonly reason: string }
  | { readonly status: 'gone' };

/** A directory that looks like a checkpoint; `manifest` is null when it cannot be read or does not parse. */
export interface CheckpointEntry {
  readonly path: string;
  readonly name: string;
  /** From the manifest where it parses, else from the name. */
  readonly sequence: number;
  readonly step: number | null;
  readonly manifest: Manifest | null;
  /** True when it has been read back and found whole once (a hint for retention and listings, never for loading). */
  readonly verified: boolean;
  readonly place: 'session' | 'backup';
}

/** Why a checkpoint was or was not taken; words of `explain --json`. */
export type CandidateVerdict =
  | 'chosen'
  | 'not-needed'
  | 'damaged'
  | 'unreadable'
  | 'newer-format'
  | 'gone'
  | 'set-aside';

export interface Candidate {
  readonly sequence: number;
  readonly step: number | null;
  readonly epoch: number | null;
  readonly place: 'session' | 'backup' | 'quarantine';
  readonly path: string;
  readonly verdict: CandidateVerdict;
  readonly reason: string;
  /** Where it went when it was quarantined by this very choice. */
  readonly quarantinedTo: string | null;
}

export interface Choice {
  /** Null: nothing verifies (`candidates` not empty) or nothing was ever committed (empty). */
  readonly chosen: { readonly path: string; readonly manifest: Manifest } | null;
  readonly candidates: readonly Candidate[];
}

/** One checkpoint that was committed; what the writer reports as durable. */
export interface Committed {
  readonly path: string;
  readonly manifest: Manifest;
  readonly bytes: number;
  /** From the first byte to the last directory sync, in milliseconds. */
  readonly writeMs: number;
}

export interface RetentionPolicy {
  /** How many of the newest to keep; at least 1. Default 5. */
  readonly keep: number;
  /** Byte budget over the session's committed checkpoints; null: none. The always-kept ones may exceed it. */
  readonly maxBytes: number | null;
}

/** Identity of a session as the same line run again: one session per combination, newest wins. */
export interface SessionIdentity {
  readonly cwd: string;
  readonly trainer: string;
  readonly args: readonly string[];
  readonly name: string | null;
}

export interface SetAside {
  readonly sequence: number;
  readonly step: number;
  readonly reason: string;
  /** ISO 8601. */
  readonly at: string;
}

/** Content of `session.json`: all that is needed to resume when the database is gone. */
export interface SessionFile {
  readonly version: 1;
  readonly id: string;
  readonly identity: SessionIdentity;
  readonly state: SessionState;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Number of the newest attempt; 0 before the first launch. */
  readonly attempts: number;
  /** Newest commit that was ever acknowledged in this session; never reset. Null: none yet. */
  readonly lastCommit: { readonly sequence: number; readonly step: number } | null;
  /** Highest step that the worker reported; for "steps lost". */
  readonly lastStep: number;
  readonly budget: RestartBudget;
  readonly setAside: readonly SetAside[];
  /** Secret that a worker shows; kept so that a later supervisor knows it. */
  readonly token: string;
  readonly sourceDigest: string | null;
  readonly backups: string;
  /** Process group of the newest attempt's worker, for adoption and orphans. */
  readonly worker: WorkerIdentity | null;
  /** Its power cuts, oldest first, the newest few. Missing: none. */
  readonly cuts?: readonly SessionCut[] | undefined;
  /**
   * Newest claim that its worker was, or may have been, given: numbers go on above it also where the claims themselves
   * were lost. Missing: an older release wrote this.
   */
  readonly claim?: number | undefined;
  /** Who asked for the stop that ended it, or was ending it. Null: nobody. Missing: an older release wrote this. */
  readonly stoppedBy?: StoppedBy | null | undefined;
  /** How it was started, for a start with nobody there. Missing: an older release wrote this. */
  readonly launch?: SessionLaunch | undefined;
}

/** What a later start without a person has to know of the one that a person made. */
export interface SessionLaunch {
  /** Settings as `NKAT_*`, and of the rest what trainers need to find their libraries and devices; no secrets. */
  readonly environment: Readonly<Record<string, string>>;
  /** `--no-config` was given. */
  readonly noConfig: boolean;
}

/** A power cut that the session went through; times in ISO 8601. */
export interface SessionCut {
  readonly lastSeenAt: string;
  readonly resumedAt: string;
}

export interface WorkerIdentity {
  readonly attempt: number;
  readonly group: ProcessIdentity;
  readonly outputDirectory: string;
  /** Sequence that this attempt resumed from; null: fresh. */
  readonly resumedFrom: number | null;
  /** True once it has said hello: it has a channel. Missing: it has not, or an older release wrote this. */
  readonly spoke?: boolean | undefined;
  /** Machine that it runs on; null: not known. Missing: an older release wrote this. */
  readonly machineId?: string | null | undefined;
  /** True once its end is in the budget; what is left to do about it is not to count it again. Missing: it is not. */
  readonly counted?: boolean | undefined;
}

/** A pid is trusted only together with its start time and boot. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot from /proc/PID/stat field 22, as text; null where the platform has none. */
  readonly startTime: string | null;
  readonly bootId: string | null;
}

/** Content of `owners/<n>.json`. */
export interface Owner extends ProcessIdentity {
  readonly claim: number;
  readonly role: 'supervisor' | 'alone';
  readonly pidNamespace: string | null;
  readonly machineId: string | null;
  readonly host: string;
  /** ISO 8601. */
  readonly at: string;
}

export type ClaimOutcome =
  | { readonly status: 'claimed'; readonly claim: number; readonly previous: Owner | null }
  | { readonly status: 'held'; readonly by: Owner; readonly elsewhere: boolean };
