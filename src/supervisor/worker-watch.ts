/** One attempt as the acting parts hold it: the process, its output, and its end once everything it said is read. */
import type { WorkerIdentity } from '../checkpoint/types.ts';
import { adoptWorker } from './adopt.ts';
import { type LaunchFailure, type LaunchSpec, launchWorker } from './launch.ts';
import { OutputTail, type Stream } from './output-tail.ts';
import type { WorkerEnd } from './worker-end.ts';
import type { SupervisedProcess } from './worker-process.ts';

export interface WorkerWatchOptions {
  readonly onLine: (stream: Stream, line: string) => void;
  readonly onProblem: (message: string) => void;
  /** Resolves when nothing more can come from the worker's channel; bounded. */
  readonly channelDrained: () => Promise<void>;
  /** Called once, after the last line and the last message were delivered. */
  readonly onEnded: (end: WorkerEnd) => void;
}

export class WorkerWatch {
  readonly process: SupervisedProcess;
  /** Resolves after `onEnded`: nothing more will be read or told. */
  readonly finished: Promise<void>;
  readonly #tail: OutputTail;
  readonly #lookNow: () => void;

  private constructor(
    supervised: SupervisedProcess,
    tail: OutputTail,
    options: WorkerWatchOptions,
    lookNow: () => void,
  ) {
    this.process = supervised;
    this.#tail = tail;
    this.#lookNow = lookNow;
    this.finished = supervised.ended.then(async (end) => {
      await options.channelDrained();
      await tail.drain();
      options.onEnded(end);
    });
  }

  /** @returns the watch, or why nothing runs. */
  static async launch(spec: LaunchSpec, options: WorkerWatchOptions): Promise<WorkerWatch | LaunchFailure> {
    const outcome = await launchWorker(spec);
    if (outcome.status === 'failed') return outcome;
    const tail = await startTail(spec.outputDirectory, spec.attempt, options);
    return new WorkerWatch(outcome.worker, tail, options, () => undefined);
  }

  static async adopt(identity: WorkerIdentity, session: string, options: WorkerWatchOptions): Promise<WorkerWatch> {
    const worker = adoptWorker(identity, session);
    const tail = await startTail(identity.outputDirectory, identity.attempt, options);
    return new WorkerWatch(worker, tail, options, () => worker.lookNow());
  }

  /** The channel closed: an adopted worker may have ended. */
  lookNow(): void {
    this.#lookNow();
  }

  lastLines(): string[] {
    return this.#tail.lastLines();
  }

  async close(): Promise<void> {
    await this.#tail.close();
  }
}

async function startTail(
  outputDirectory: string,
  attempt: number,
  { onLine, onProblem }: WorkerWatchOptions,
): Promise<OutputTail> {
  const tail = new OutputTail({ outputDirectory, attempt, onLine, onProblem });
  await tail.start();
  return tail;
}
