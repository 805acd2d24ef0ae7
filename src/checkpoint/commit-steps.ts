/** The steps of a commit as its caller takes them. */
import type { StoreLayout } from './layout.ts';
import type { CheckpointFacts, Committed, TensorSpec } from './types.ts';

export interface CommitRequest {
  readonly layout: StoreLayout;
  /** Number under which the caller owns the session. */
  readonly claim: number;
  /** All tensors, in the order in which their bytes will be appended. */
  readonly tensors: readonly TensorSpec[];
  /** Size of the whole checkpoint where the caller knows more than the tensors tell (its JSON state). */
  readonly expectedBytes?: number;
  /** The run ends with it, so it may take the room that others leave. */
  readonly isLast?: boolean;
}

export interface FinishRequest {
  /** Content of `state.json`; see `encodeState`. */
  readonly state: string;
  readonly facts: CheckpointFacts;
  /** A higher claim that the caller was given since; default: the one of the request. */
  readonly claim?: number;
}

export interface Commit {
  /** Number of the checkpoint to come; it can still rise at the end when another one took it. */
  readonly sequence: number;
  /**
   * Takes tensor bytes in the order of the specs, in any splitting; one call at a time. When it resolves, the
   * argument has been consumed. @throws NkatError `io`, `no-space` (the commit is given up), `internal` for too many
   */
  append(bytes: Uint8Array): Promise<void>;
  /** Bytes that the header takes at the start of the file, in front of the tensors. */
  readonly headerBytes: number;
  /**
   * Takes the next chunk of the file (8 MiB, less at its end: `length`) without a copy, from page-aligned memory of a
   * whole chunk: tensor bytes, with room in front for what of the header falls into it. One call at a time; when it
   * resolves, the chunk is being written. The memory is the commit's until `free` is called, which it always is once
   * this has resolved. Instead of `append`. @throws as `append`
   */
  place(chunk: Uint8Array, length: number, free: () => void): Promise<void>;
  /**
   * Makes the checkpoint durable. @throws NkatError `fenced` (staging stays: call again with a higher claim), `io`,
   * `no-space` (staging is removed), `internal` when bytes are missing
   */
  finish(request: FinishRequest): Promise<Committed>;
  /** Gives the commit up, after a call that is in progress, and removes what it wrote; nothing to do after it ended. */
  abort(): Promise<void>;
}
