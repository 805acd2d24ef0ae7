/** The process side of the present attempt: launch or adopt it, signal it, empty its group, look why it ended. */
import { currentMachineId } from '../checkpoint/boot-identity.ts';
import type { WorkerIdentity } from '../checkpoint/types.ts';
import { endWorker } from './end-worker.ts';
import { EvidenceCollector } from './evidence.ts';
import type { LaunchSpec } from './launch.ts';
import type { Effect } from './machine/effect.ts';
import type { Happening, VerifiedSteps } from './machine/event.ts';
import { wakeStopped } from './process-group.ts';
import type { SessionContext } from './session-context.ts';
import type { CardEvidence, WorkerEnd } from './worker-end.ts';
import { WorkerWatch, type WorkerWatchOptions } from './worker-watch.ts';

export interface AttemptHandsOptions {
  readonly context: SessionContext;
  readonly dispatch: (happening: Happening) => void;
  /** What is launched, but for the attempt's number. */
  readonly launch: Omit<LaunchSpec, 'attempt'>;
  readonly channelDrained: () => Promise<void>;
  /** The worker is over and everything it said was read. */
  readonly onEnded: () => void;
  readonly persist: () => Promise<void>;
  /** What the cards have to say of an end; null: nothing, or there are none. */
  readonly cardEvidence: (end: WorkerEnd, lastLines: readonly string[]) => Promise<CardEvidence | null>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export class AttemptHands {
  readonly #options: AttemptHandsOptions;
  #watch: WorkerWatch | null = null;
  #evidence: EvidenceCollector | null = null;

  constructor(options: AttemptHandsOptions) {
    this.#options = options;
  }

  /** Takes over a worker that is still training; the machine then waits for it to connect. */
  async adopt(worker: WorkerIdentity, verified: VerifiedSteps): Promise<void> {
    const { context, dispatch } = this.#options;
    this.#evidence = new EvidenceCollector();
    this.#watch = await WorkerWatch.adopt(worker, context.layout.session, this.#watchOptions());
    this.#followMemory(this.#watch);
    if (wakeStopped(this.#watch.process.owned)) {
      const message = 'The worker that trained on alone had been stopped (SIGSTOP): it was woken (SIGCONT)';
      context.tell({ name: 'notice', level: 'warning', message });
    }
    const { attempt, resumedFrom, spoke = false } = worker;
    dispatch({ type: 'orphan-found', attempt, resumedFrom, spoke, verified });
    if (spoke) return;
    const message = `attempt ${attempt} still runs and has not spoken yet: it is watched by its pid and its exit record`;
    context.tell({ name: 'notice', level: 'info', message });
  }

  /** The attempt's row is there before the process, its identity in `session.json` right after. */
  async launch(attempt: number, resumedFrom: number | null): Promise<void> {
    const { context, dispatch, launch, persist } = this.#options;
    const { record, index, outputDirectory, tell } = context;
    await index.attemptStarting(attempt, resumedFrom);
    this.#evidence = new EvidenceCollector();
    const watch = await WorkerWatch.launch({ ...launch, attempt }, this.#watchOptions());
    if (!(watch instanceof WorkerWatch)) {
      dispatch({ type: 'spawn-failed', errno: watch.errno, reason: `${watch.message} (${watch.path})` });
      return;
    }
    this.#watch = watch;
    this.#followMemory(watch);
    const { group } = watch.process;
    record.change({ worker: { attempt, group, outputDirectory, resumedFrom, machineId: currentMachineId() } });
    await persist();
    const { pid: groupPid, startTime, bootId } = group;
    await index.patchAttempt(attempt, { groupPid, startTime, bootId });
    await index.patchSession({ attempts: attempt, budget: record.file.budget });
    tell({ name: 'attempt-started', attempt, pid: groupPid });
  }

  signal(signal: NodeJS.Signals): void {
    this.#watch?.process.signalGroup(signal);
  }

  /** The channel closed: an adopted worker may have ended. */
  lookNow(): void {
    this.#watch?.lookNow();
  }

  /**
   * Leaves nobody of the group behind before another worker starts. When it is empty, everything that the worker said
   * has been read too, so that `group-gone` always comes after `worker-ended`.
   */
  async reap(): Promise<void> {
    const { context, dispatch } = this.#options;
    const watch = this.#watch;
    if (watch === null) {
      dispatch({ type: 'group-gone' });
      return;
    }
    const ending = await endWorker(watch.process.owned, {
      limitMs: context.settings.stop.killWaitMs,
      onSlow: (survivors, leftMs) => this.#tellSlow(survivors, leftMs),
    });
    if (ending.status === 'unkillable') {
      dispatch({ type: 'group-unkillable', survivors: ending.survivors });
      return;
    }
    if (ending.strays > 0) {
      const message = `ended ${ending.strays} process(es) that had left the worker's group`;
      context.tell({ name: 'notice', level: 'info', message });
    }
    await watch.finished;
    dispatch({ type: 'group-gone' });
  }

  async gather(end: WorkerEnd): Promise<void> {
    const watch = this.#watch;
    const pids = watch === null ? [] : [watch.process.group.pid, watch.process.announcedPid()?.pid ?? 0];
    const lastLines = watch?.lastLines() ?? [];
    const [evidence = { stderrTail: [], oomRecord: null }, card] = await Promise.all([
      this.#evidence?.gather({ end, pids, lastLines }),
      this.#options.cardEvidence(end, lastLines),
    ]);
    this.#options.dispatch({
      type: 'evidence-gathered',
      evidence: card === null ? evidence : { ...evidence, card },
      random: this.#options.random(),
    });
  }

  async recordEnd(effect: Extract<Effect, { type: 'record-attempt-end' }>): Promise<void> {
    const { attempt, end, evidence, classification } = effect;
    const { record, index, tell, now } = this.#options.context;
    const lastStep = record.reached.step;
    await this.close();
    index.flush();
    const { code, signal } = end;
    const { class: exitClass, reason, hint = null } = classification;
    const endedAt = effect.endedAt ?? now().toISOString();
    // Before the session forgets the worker: the next supervisor looks for the end of a worker that stands there, and of no other.
    await index.attemptEnded(attempt, {
      endedAt,
      exitCode: code,
      signal,
      class: exitClass,
      reason,
      evidence,
      lastStep,
    });
    record.change({ worker: null });
    await this.#options.persist();
    await index.patchSession({ workerPid: null });
    const lastLines = evidence.stderrTail;
    const { budget } = record.file;
    tell({ name: 'worker-ended', attempt, class: exitClass, code, signal, reason, hint, lastLines, lastStep, budget });
  }

  async close(): Promise<void> {
    this.#evidence?.close();
    await this.#watch?.close();
    this.#watch = null;
  }

  #followMemory({ process: worker }: WorkerWatch): void {
    this.#evidence?.follow(() => worker.announcedPid()?.pid ?? null);
  }

  #tellSlow(survivors: readonly string[], leftMs: number): void {
    const seconds = Math.ceil(leftMs / 1_000);
    const message = `SIGKILL was sent and does not end the worker yet (${seconds} s more): ${survivors.join('; ')}`;
    this.#options.context.tell({ name: 'notice', level: 'warning', message });
  }

  #watchOptions(): WorkerWatchOptions {
    const { context, channelDrained, onEnded, dispatch } = this.#options;
    const { tell } = context;
    return {
      onLine: (stream, line) => tell({ name: 'output', stream, line }),
      onProblem: (message) => tell({ name: 'notice', level: 'warning', message }),
      channelDrained,
      onEnded: (end) => {
        onEnded();
        dispatch({ type: 'worker-ended', end });
      },
    };
  }
}
