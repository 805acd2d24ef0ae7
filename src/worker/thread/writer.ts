/**
 * The only one that touches the store while training runs: commits what the training loop hands over, then reads it
 * back, copies the best and rotates. Saves are committed in the order in which they were begun.
 */
import { setImmediate } from 'node:timers/promises';
import { beginCommit } from '../../checkpoint/commit.ts';
import type { Commit } from '../../checkpoint/commit-steps.ts';
import type { StoreFiles } from '../../checkpoint/files.ts';
import type { StoreLayout } from '../../checkpoint/layout.ts';
import { settleCommit, type Unreadable } from '../../checkpoint/settle.ts';
import type { CheckpointFacts, Committed, RetentionPolicy, TrainerFacts, Verdict } from '../../checkpoint/types.ts';
import { messageOf, NkatError } from '../../errors.ts';
import { ChunkPool } from './chunk-pool.ts';
import type { ClaimNumber } from './claim-number.ts';
import type { SaveBegin, SaveChunk, SaveFinish } from './messages.ts';

export interface SaveFailure {
  readonly code: string;
  readonly message: string;
  /** What helps, where the system refused it. */
  readonly hint: string | null;
}

export interface WriterEvents {
  started(save: SaveBegin): void;
  /** Its chunks can come, through this memory. */
  ready(save: SaveBegin, memory: SharedArrayBuffer, headerBytes: number): void;
  /** A chunk of the memory is free. */
  slotFree(save: SaveBegin, slot: number): void;
  /** The checkpoint survives a power cut from here on. */
  durable(save: FinishedSave, committed: Committed): void;
  /** Read back. `problem` null: verified. */
  settled(save: FinishedSave, committed: Committed, problem: string | null): void;
  failed(save: SaveBegin | FinishedSave, failure: SaveFailure): void;
  /** The copy of the best model: null when it stands, else why it was not. Tried again after the next commit. */
  backedUp(problem: string | null): void;
  /** All that newer ones would have taken the place of after this commit, but that cannot be read. */
  unreadable(kept: readonly Unreadable[]): void;
  /** A commit was refused because a newer claim exists; it waits for the welcome that brings one. */
  fenced(save: SaveBegin): void;
}

export interface WriterOptions {
  readonly files: StoreFiles;
  readonly layout: StoreLayout;
  readonly claim: ClaimNumber;
  readonly retention: () => RetentionPolicy;
  readonly attempt: number;
  readonly trainer: TrainerFacts | null;
  readonly versions: Readonly<Record<string, string>>;
  /** What it may train on, as far as a supervisor told. */
  readonly cards: () => { readonly gpu: string | null; readonly driver: string | null };
  readonly resumedFrom: number | null;
  /** Newest durable sequence, or the resume point: parent of the next commit. */
  readonly parent: number | null;
}

/** A save with what was merged into it until it was finished. */
export interface FinishedSave extends SaveBegin {
  readonly stallMs: number;
}

interface OpenSave {
  readonly begin: SaveBegin;
  readonly aborted: AbortController;
  commit: Commit | null;
  failed: boolean;
}

/** Kinds of saves after which a run ends. */
const LAST_KINDS: ReadonlySet<string> = new Set(['emergency', 'final']);

export class Writer {
  readonly #options: WriterOptions;
  readonly #events: WriterEvents;
  readonly #pool = new ChunkPool();
  #saves = new Map<number, OpenSave>();
  #joined = new Map<number, string[]>();
  #commits: Promise<void> = Promise.resolve();
  #settles: Promise<void> = Promise.resolve();
  #parent: number | null;
  #last: { readonly save: FinishedSave; readonly committed: Committed } | null = null;
  #lastProblem: string | null = null;
  #lastFailure: { readonly save: SaveBegin; readonly failure: SaveFailure } | null = null;

  constructor(options: WriterOptions, events: WriterEvents) {
    this.#options = options;
    this.#events = events;
    this.#parent = options.parent;
  }

  begin(begin: SaveBegin): void {
    const save: OpenSave = { begin, aborted: new AbortController(), commit: null, failed: false };
    this.#saves.set(begin.id, save);
    this.#events.started(begin);
    this.#enqueue(save, async () => {
      save.commit = await this.#whenNotFenced(save, (claim) =>
        beginCommit(this.#options.files, {
          layout: this.#options.layout,
          claim,
          tensors: begin.tensors,
          expectedBytes: begin.bytes,
          isLast: begin.kinds.some((kind) => LAST_KINDS.has(kind)),
        }),
      );
      await this.#offerMemory(save, save.commit);
    });
  }

  chunk({ id, slot, bytes }: SaveChunk): void {
    const save = this.#saves.get(id);
    if (save === undefined) return;
    this.#enqueue(save, async () => {
      await save.commit?.place(this.#pool.chunk(slot), bytes, () => this.#events.slotFree(save.begin, slot));
    });
  }

  finish(finish: SaveFinish): void {
    const save = this.#saves.get(finish.id);
    if (save === undefined) return;
    this.#enqueue(save, async () => {
      const { commit } = save;
      if (commit === null) return;
      const { kinds, reason, stallMs } = finish;
      const finished: FinishedSave = { ...save.begin, kinds, reason, stallMs };
      const committed = await this.#whenNotFenced(save, (claim) =>
        commit.finish({ state: finish.state, facts: this.#facts(finished), claim }),
      );
      this.#saves.delete(finish.id);
      this.#parent = committed.manifest.sequence;
      const answered = { ...finished, requests: this.#requestsOf(save) };
      this.#last = { save: answered, committed };
      this.#events.durable(answered, committed);
      this.#settles = this.#settles.then(() => this.#settle(answered, committed));
    });
  }

  /** Adds requests that a save in flight answers too; one that ended meanwhile answers them at once. */
  join(id: number, requests: readonly string[]): void {
    if (this.#saves.has(id)) {
      this.#joined.set(id, [...(this.#joined.get(id) ?? []), ...requests]);
    } else if (this.#last?.save.id === id) {
      const save = { ...this.#last.save, requests };
      const { committed } = this.#last;
      this.#events.durable(save, committed);
      this.#settles = this.#settles.then(() => this.#events.settled(save, committed, this.#lastProblem));
    } else if (this.#lastFailure?.save.id === id) {
      this.#events.failed({ ...this.#lastFailure.save, requests }, this.#lastFailure.failure);
    }
  }

  /** Gives a save up; unless it is durable by then, it is reported as failed with this code. */
  abort(id: number, code: string, message: string): void {
    const save = this.#saves.get(id);
    if (save === undefined) return;
    save.aborted.abort(new SaveGivenUp(code, message));
    this.#enqueue(save, async () => save.aborted.signal.throwIfAborted());
  }

  #enqueue(save: OpenSave, work: () => Promise<void>): void {
    this.#commits = this.#commits.then(async () => {
      if (save.failed || !this.#saves.has(save.begin.id)) return;
      try {
        save.aborted.signal.throwIfAborted();
        await work();
      } catch (error) {
        await this.#fail(save, error);
      }
    });
  }

  async #fail(save: OpenSave, error: unknown): Promise<void> {
    save.failed = true;
    this.#saves.delete(save.begin.id);
    const requests = this.#requestsOf(save);
    let message = messageOf(error);
    try {
      await save.commit?.abort();
    } catch (cleanup) {
      message += `; what was written could not be removed: ${messageOf(cleanup)}`;
    }
    const hint = error instanceof NkatError ? (error.hint ?? null) : null;
    const failure = { code: failureCode(error), message, hint };
    this.#lastFailure = { save: save.begin, failure };
    this.#events.failed({ ...save.begin, requests }, failure);
  }

  /** The writer is done with whatever came before, so that all of the memory is free. */
  async #offerMemory({ begin, aborted }: OpenSave, { headerBytes }: Commit): Promise<void> {
    const bytes = headerBytes + begin.bytes;
    this.#events.ready(begin, this.#pool.memoryFor(bytes), headerBytes);
    for (let slot = 0; slot < this.#pool.slotsFor(bytes); slot++) {
      aborted.signal.throwIfAborted();
      this.#pool.warm(slot, bytes);
      this.#events.slotFree(begin, slot);
      // The first time this takes milliseconds a chunk: the socket must be answered all the same.
      await setImmediate();
    }
  }

  #requestsOf(save: OpenSave): string[] {
    const joined = this.#joined.get(save.begin.id) ?? [];
    this.#joined.delete(save.begin.id);
    return [...save.begin.requests, ...joined];
  }

  /** Repeats a refused operation under each newer claim, until it goes through or the save is given up. */
  async #whenNotFenced<T>(save: OpenSave, work: (claim: number) => Promise<T>): Promise<T> {
    for (;;) {
      const claim = this.#options.claim.current;
      try {
        return await work(claim);
      } catch (error) {
        if (!(error instanceof NkatError && error.code === 'fenced')) throw error;
        this.#events.fenced(save.begin);
        await this.#options.claim.above(claim, save.aborted.signal);
      }
    }
  }

  async #settle(save: FinishedSave, committed: Committed): Promise<void> {
    const { files, layout, retention, resumedFrom } = this.#options;
    let problem: string | null;
    try {
      const settled = await settleCommit(files, { layout, committed, retention: retention(), resumedFrom });
      problem = verdictProblem(settled.verdict);
      this.#events.unreadable(settled.unreadable);
      if (settled.backupStands || settled.backupProblem !== null) this.#events.backedUp(settled.backupProblem);
    } catch (error) {
      problem = messageOf(error);
    }
    this.#lastProblem = problem;
    this.#events.settled(save, committed, problem);
  }

  #facts(save: FinishedSave): CheckpointFacts {
    const { gpu, driver } = this.#options.cards();
    return {
      step: save.step,
      epoch: save.epoch,
      kinds: save.kinds,
      reason: save.reason,
      parent: this.#parent,
      attempt: this.#options.attempt,
      metrics: save.metrics,
      memory: save.memory,
      backend: save.backend,
      gpu,
      driver,
      versions: { ...this.#options.versions, ...save.versions },
      trainer: this.#options.trainer,
    };
  }
}

class SaveGivenUp extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

function failureCode(error: unknown): string {
  if (error instanceof SaveGivenUp || error instanceof NkatError) return error.code;
  return 'io';
}

function verdictProblem(verdict: Verdict): string | null {
  switch (verdict.status) {
    case 'verified':
      return null;
    case 'damaged':
      return verdict.damages.map(({ file, reason }) => (file === null ? reason : `${file}: ${reason}`)).join('; ');
    case 'gone':
      return 'the checkpoint is gone';
    default:
      return verdict.reason;
  }
}
