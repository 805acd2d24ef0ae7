/**
 * A session without a supervisor: the same claim, the same choice of a resume point and the same record, so that
 * `nkat-recover` can list, verify and resume it later.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { openBackupRoot } from '../../checkpoint/backup-root.ts';
import { chooseCheckpoint } from '../../checkpoint/choose.ts';
import { acquireClaim } from '../../checkpoint/claim.ts';
import { digestOf } from '../../checkpoint/digest.ts';
import type { StoreFiles } from '../../checkpoint/files.ts';
import { findByIdentity } from '../../checkpoint/find-session.ts';
import { makeDurableDirectory, type StoreLayout, storeLayout } from '../../checkpoint/layout.ts';
import { quarantineCheckpoint } from '../../checkpoint/quarantine.ts';
import { registerRoot } from '../../checkpoint/roots.ts';
import { everCommitted, newSessionFile, readSessionFile, rewriteSessionFile } from '../../checkpoint/session-file.ts';
import { newSessionId } from '../../checkpoint/session-id.ts';
import type { Committed, Owner, SessionFile, TrainerFacts } from '../../checkpoint/types.ts';
import { NkatError } from '../../errors.ts';
import type { ResumePoint, WorkerMessage } from '../../protocol/messages.ts';
import { AloneWords } from './alone-words.ts';
import type { LoadOutcome } from './loader.ts';
import type { ThreadMode, ThreadStart } from './messages.ts';
import { refusedBy } from './refusal.ts';
import type { SessionOwner, SessionSide } from './session-side.ts';

/** Another process owns the session. */
const EXIT_HELD = 73;

export interface AloneOptions {
  readonly files: StoreFiles;
  readonly mode: Extract<ThreadMode, { kind: 'alone' }>;
  readonly resumed: ThreadStart['resumed'];
  readonly owner: SessionOwner;
  /** Writes a line for the operator. */
  readonly say: (line: string) => void;
}

export class AloneSession implements SessionSide {
  readonly #options: AloneOptions;
  readonly #words: AloneWords;
  #layout: StoreLayout | null = null;
  #file: SessionFile | null = null;
  /** Sequences that failed while they were loaded in this launch. */
  readonly #failed = new Set<number>();
  #writing: Promise<void> = Promise.resolve();

  constructor(options: AloneOptions) {
    this.#options = options;
    this.#words = new AloneWords(options.say);
  }

  start(): void {
    const { resumed, owner, mode } = this.#options;
    const work = resumed === null ? this.#open() : this.#reopen(resumed.facts);
    work.catch((error: unknown) => {
      const { code, message, refusal } = refusedBy(error, mode.root);
      owner.exit(code, message, refusal);
    });
  }

  tell(message: WorkerMessage): void {
    this.#words.take(message);
  }

  tellNow(): void {
    // Progress and phases are for a supervisor.
  }

  async unusable(
    point: ResumePoint,
    { damaged, reason }: Extract<LoadOutcome, { status: 'unusable' }>,
  ): Promise<ResumePoint | null> {
    const layout = this.#held();
    this.#options.say(`checkpoint ${point.sequence} could not be loaded: ${reason}`);
    this.#failed.add(point.sequence);
    if (damaged) await quarantineCheckpoint(this.#options.files, layout, point.path, reason);
    return this.#choose(layout);
  }

  committed({ manifest }: Committed): Promise<void> {
    const { sequence, step } = manifest;
    return this.#update({ lastCommit: { sequence, step }, lastStep: step });
  }

  fenced(): void {
    this.#options.owner.exit(EXIT_HELD, 'another process has claimed this session, so nothing more can be saved', null);
  }

  ended(state: 'completed' | 'interrupted'): Promise<void> {
    return this.#update({ state });
  }

  async #open(): Promise<void> {
    const { files, mode, owner } = this.#options;
    await makeDurableDirectory(files, mode.root);
    await registerRoot(files, mode.rootsFile, mode.root);
    const trainer = await trainerFacts(mode);
    const { layout, file } = await this.#findOrCreate(trainer);
    const claimed = await acquireClaim(files, layout.directory, { role: 'alone', takeOver: false });
    if (claimed.status === 'held') throw heldBy(layout, claimed.by);
    // Read again under the claim: its last owner may have written since.
    const current = (await readSessionFile(files, layout.directory)) ?? file;
    this.#layout = layout;
    this.#file = current;
    const setAside = new Set(current.setAside.map(({ sequence }) => sequence));
    for (const sequence of setAside) this.#failed.add(sequence);
    const resume = await this.#choose(layout);
    const attempt = current.attempts + 1;
    const { sourceDigest } = trainer;
    await this.#update({ state: 'running', attempts: attempt, sourceDigest, worker: null, claim: claimed.claim });
    const facts = {
      session: layout.session,
      attempt,
      claim: claimed.claim,
      directory: layout.directory,
      backups: layout.backups,
      resume,
      policy: mode.policy,
      requireGpu: false,
      learningRateScale: 1,
      batchScale: 1,
      trainer,
      drill: null,
    };
    owner.welcomed(facts, false);
  }

  /** A thread that replaces a crashed one: the claim is this process's already. */
  async #reopen(facts: { session: string; directory: string; backups: string }): Promise<void> {
    this.#layout = { session: facts.session, directory: facts.directory, backups: facts.backups };
    this.#file = await readSessionFile(this.#options.files, facts.directory);
  }

  async #findOrCreate(trainer: TrainerFacts): Promise<{ layout: StoreLayout; file: SessionFile }> {
    const { files, mode } = this.#options;
    const found = await findByIdentity(files, mode.root, mode.identity);
    if (found !== null && found.file.state !== 'completed') {
      return {
        layout: { session: found.id, directory: found.directory, backups: found.file.backups },
        file: found.file,
      };
    }
    await openBackupRoot(files, { root: mode.backups, home: mode.home, listFile: mode.backupRootsFile });
    const now = new Date();
    const layout = storeLayout(mode.root, mode.backups, newSessionId(now, Math.random));
    const file = newSessionFile({
      id: layout.session,
      identity: mode.identity,
      token: randomBytes(24).toString('base64url'),
      sourceDigest: trainer.sourceDigest,
      backups: layout.backups,
      now,
    });
    await makeDurableDirectory(files, layout.directory);
    return { layout, file };
  }

  /** The newest checkpoint that verifies; null: a fresh start. @throws NkatError `no-verified-checkpoint` */
  async #choose(layout: StoreLayout): Promise<ResumePoint | null> {
    const { files, mode } = this.#options;
    const { chosen, candidates } = await chooseCheckpoint(files, { layout, setAside: this.#failed, quarantine: true });
    if (chosen !== null) {
      const { sequence, step, epoch } = chosen.manifest;
      return { sequence, path: chosen.path, step, epoch };
    }
    if (mode.allowFresh || !(await everCommitted(files, layout))) return null;
    const reasons = candidates.map(({ sequence, reason }) => `${sequence}: ${reason}`).join('; ');
    throw new NkatError(
      `session ${layout.session} has saved before, but no checkpoint verifies (${reasons || 'none is left'})`,
      {
        code: 'no-verified-checkpoint',
        operation: 'choose a checkpoint',
        path: layout.directory,
        hint: 'Put a checkpoint back, or set NKAT_ALLOW_FRESH=1 to start from zero.',
      },
    );
  }

  /** One write after the other, each from the newest record. */
  #update(change: Partial<SessionFile>): Promise<void> {
    const write = this.#writing.then(async () => {
      if (this.#file === null || this.#layout === null) return;
      this.#file = { ...this.#file, ...change, updatedAt: new Date().toISOString() };
      await rewriteSessionFile(this.#options.files, this.#layout.directory, this.#file);
    });
    // The caller hears of the failure; the next write is tried all the same.
    this.#writing = write.catch(() => undefined);
    return write;
  }

  #held(): StoreLayout {
    if (this.#layout !== null) return this.#layout;
    throw new NkatError('the session is not open yet', { code: 'internal', operation: 'load a checkpoint' });
  }
}

function heldBy({ session, directory }: StoreLayout, by: Owner): NkatError {
  const who = `${by.role === 'alone' ? 'a trainer that runs alone' : 'a supervisor'}, pid ${by.pid} on ${by.host}`;
  return new NkatError(`session ${session} is held by ${who} since ${by.at}`, {
    code: 'session-held',
    operation: 'claim the session',
    path: directory,
    hint: `Wait for it or stop it: kill ${by.pid}`,
  });
}

async function trainerFacts({ identity }: Extract<ThreadMode, { kind: 'alone' }>): Promise<TrainerFacts> {
  return { path: identity.trainer, args: identity.args, sourceDigest: await sourceDigest(identity.trainer) };
}

/** Null for code that is no file (`node -e`). */
async function sourceDigest(path: string): Promise<string | null> {
  try {
    return digestOf(await readFile(path));
  } catch {
    return null;
  }
}
