/**
 * What SQLite is told of a supervised session. An index: nothing here is needed to resume, so no failure of it stops
 * training; `SessionsDatabase.write` retries, queues on a full disk and says when it is degraded.
 */
import type { Manifest, SessionFile } from '../checkpoint/types.ts';
import type { MessageOf, WorkerMessage } from '../protocol/messages.ts';
import type { SessionsDatabase } from '../sessions/database.ts';
import type { GpuSampleRow } from '../sessions/gpu-samples-table.ts';
import { ProgressRecorder } from '../sessions/progress-recorder.ts';
import type { Tables } from '../sessions/tables.ts';
import type {
  AttemptPatch,
  CheckpointState,
  ProgressPatch,
  SessionPatch,
  SessionRow,
  SessionUpsert,
} from '../sessions/types.ts';
import { checkpointRow, startedAttempt } from './index-rows.ts';

export class SessionIndex {
  readonly #sessions: SessionsDatabase;
  readonly #id: string;
  readonly #now: () => Date;
  readonly #progress: ProgressRecorder;
  #row: SessionUpsert | null = null;

  constructor(sessions: SessionsDatabase, id: string, now: () => Date) {
    this.#sessions = sessions;
    this.#id = id;
    this.#now = now;
    this.#progress = new ProgressRecorder((patch) => {
      void this.#write(({ sessions: rows }) => rows.recordProgress(id, patch, this.#at()));
    });
  }

  /** Writes the session's row anew from its own file, keeping what the row alone knows. */
  async open(file: SessionFile, root: string, supervisorPid: number): Promise<void> {
    const known = this.#find();
    const row: SessionUpsert = { ...rowOf(file, root, known), state: 'running', supervisorPid };
    this.#row = row;
    await this.#write(({ sessions }) => sessions.upsert(row));
  }

  /** Why the database takes no writes at the moment; null: it does. */
  get degraded(): string | null {
    return this.#sessions.degraded;
  }

  /** Newest step that was indexed, and when; null: none. */
  reached(): { readonly step: number; readonly at: Date } | null {
    const row = this.#find();
    return row?.step == null ? null : { step: row.step, at: new Date(row.updatedAt) };
  }

  lastCheckpointAt(): string | null {
    return this.#find()?.lastCheckpointAt ?? null;
  }

  /** True when any checkpoint was ever indexed, whatever became of it. */
  everCommitted(): boolean {
    return this.#sessions.read(({ checkpoints }) => checkpoints.ofSession(this.#id).length > 0, false);
  }

  resumedFrom(attempt: number): number | null {
    return this.#sessions.read(({ attempts }) => attempts.find(this.#id, attempt)?.resumedFromSequence ?? null, null);
  }

  longestSaveMs(): number {
    return this.#sessions.read(({ saves }) => saves.totalsOf(this.#id).longestWriteMs, 0);
  }

  patchSession(patch: SessionPatch): Promise<void> {
    if (this.#row !== null) this.#row = { ...this.#row, ...patch };
    return this.#write(({ sessions }) => sessions.patch(this.#id, patch, this.#at()));
  }

  transition(attempt: number, from: string, event: string, to: string, detail: unknown): Promise<void> {
    const row = { session: this.#id, at: this.#at(), attempt, from, event, to, detail };
    return this.#write(({ transitions }) => transitions.record(row));
  }

  attemptStarting(number: number, resumedFromSequence: number | null): Promise<void> {
    const row = { ...startedAttempt(this.#id, number, this.#at()), resumedFromSequence };
    return this.#write(({ attempts }) => attempts.upsert(row));
  }

  patchAttempt(number: number, patch: AttemptPatch): Promise<void> {
    return this.#write(({ attempts }) => attempts.patch(this.#id, number, patch));
  }

  /** The first that learned how it ended saw most of it: what a later supervisor concludes changes nothing of that. */
  attemptEnded(number: number, end: AttemptPatch): Promise<void> {
    return this.#write(({ attempts }) => {
      if (attempts.find(this.#id, number)?.endedAt == null) attempts.patch(this.#id, number, end);
    });
  }

  /**
   * Attempts that have no end on record and are over: their supervisor died before it had written down the worker, or its
   * end. @param live the attempt whose end is still to come; null: none
   */
  endForgotten(live: number | null): Promise<void> {
    return this.#write(({ attempts, sessions }) => {
      const heardOf = sessions.find(this.#id)?.lastCheckpointAt ?? '';
      for (const { number, startedAt, endedAt } of attempts.ofSession(this.#id)) {
        if (endedAt !== null || number === live) continue;
        const reason = 'its supervisor died before it could write down how it ended';
        attempts.patch(this.#id, number, {
          endedAt: startedAt > heardOf ? startedAt : heardOf,
          class: 'vanished',
          reason,
        });
      }
    });
  }

  noteFirstStep(number: number, firstStep: number): void {
    void this.patchAttempt(number, { firstStep });
  }

  noteProgress(progress: ProgressPatch): void {
    this.#progress.record(progress);
  }

  noteSaved(message: MessageOf<WorkerMessage, 'saved'>, attempt: number): void {
    const { sequence, step, epoch, kinds, reason, state, bytes, createdAt, digest, path, metrics, parent } = message;
    const row = { session: this.#id, sequence, step, epoch, kinds, reason, state, bytes, createdAt, digest, path };
    const { stallMs, writeMs } = message;
    void this.#write(({ checkpoints, saves }) => {
      checkpoints.upsert({ ...row, metrics, parent, attempt });
      if (state === 'verified') return;
      const save = { session: this.#id, at: createdAt, attempt, sequence, step, kinds, bytes, stallMs, writeMs };
      saves.record({ ...save, outcome: 'saved', message: null });
    });
  }

  noteSaveFailed(message: MessageOf<WorkerMessage, 'save-failed'>, attempt: number): void {
    const { step, kinds } = message;
    const costs = { bytes: 0, stallMs: 0, writeMs: 0 };
    const row = { session: this.#id, at: this.#at(), attempt, sequence: null, step, kinds, ...costs };
    void this.#write(({ saves }) =>
      saves.record({ ...row, outcome: 'failed', message: `${message.code}: ${message.message}` }),
    );
  }

  /** A checkpoint found in the directory: committed while the channel was down. */
  noteFound(manifest: Manifest, path: string, state: 'durable' | 'verified'): Promise<void> {
    return this.#write(({ checkpoints }) => checkpoints.upsert(checkpointRow(this.#id, manifest, path, state)));
  }

  /** True when the row already says what a look at the directory would. */
  knows(sequence: number, verified: boolean): boolean {
    const state = this.#sessions.read(({ checkpoints }) => checkpoints.find(this.#id, sequence)?.state ?? null, null);
    return state === 'verified' || state === 'set-aside' || (state === 'durable' && !verified);
  }

  /** Checkpoints whose directories should be there. */
  present(): number[] {
    const rows = this.#sessions.read(({ checkpoints }) => checkpoints.presentIn(this.#id), []);
    return rows.map(({ sequence }) => sequence);
  }

  setCheckpointState(sequence: number, state: CheckpointState): Promise<void> {
    return this.#write(({ checkpoints }) => checkpoints.setState(this.#id, sequence, state));
  }

  moved(sequence: number, path: string, state: CheckpointState): Promise<void> {
    return this.#write(({ checkpoints }) => checkpoints.move(this.#id, sequence, path, state));
  }

  event(attempt: number, name: string, detail: unknown): void {
    const row = { session: this.#id, at: this.#at(), attempt, name, detail };
    void this.#write(({ events }) => events.record(row));
  }

  /** Many in one transaction. @param nowSeconds what is too old by then is forgotten; null: not looked at this time */
  noteGpuSamples(rows: readonly Omit<GpuSampleRow, 'session'>[], nowSeconds: number | null): void {
    void this.#write(({ gpuSamples }) => {
      for (const row of rows) gpuSamples.record({ ...row, session: this.#id });
      if (nowSeconds !== null) gpuSamples.prune(nowSeconds);
    });
  }

  /** Writes the newest progress that is still held back. */
  flush(): void {
    this.#progress.flush();
  }

  #find(): SessionRow | null {
    return this.#sessions.read(({ sessions }) => sessions.find(this.#id), null);
  }

  /** A database that was deleted or replaced in mid-run gets the session's row back first. */
  async #write(work: (tables: Tables) => void): Promise<void> {
    const row = this.#row;
    await this.#sessions.write((tables) => {
      if (row !== null && tables.sessions.find(this.#id) === null) tables.sessions.upsert(row);
      work(tables);
    });
  }

  #at(): string {
    return this.#now().toISOString();
  }
}

function rowOf(file: SessionFile, root: string, known: SessionRow | null): SessionUpsert {
  const { cwd, trainer, args, name } = file.identity;
  const fresh = { epoch: null, totalSteps: null, loss: null, bestMetric: null, workerPid: null };
  return {
    ...fresh,
    ...known,
    id: file.id,
    name,
    state: file.state,
    trainer,
    args,
    cwd,
    root,
    backups: file.backups,
    createdAt: file.createdAt,
    updatedAt: file.updatedAt,
    attempts: file.attempts,
    step: known?.step ?? (file.lastStep > 0 ? file.lastStep : null),
    supervisorPid: known?.supervisorPid ?? null,
    sourceDigest: file.sourceDigest,
    budget: file.budget,
  };
}
