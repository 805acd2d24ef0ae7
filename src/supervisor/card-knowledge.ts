/** What is made of the cards' readings beside watching them: curves, advice, what a leak fills, and evidence that is kept with a crash. */
import type { GpuSample } from '../gpu/sample.ts';
import { smiCommand } from '../gpu/smi-command.ts';
import { Adviser } from './advice/adviser.ts';
import { ShareWatch } from './advice/share-watch.ts';
import type { CardWatch } from './card-watch.ts';
import type { SupervisorEvent } from './events.ts';
import { inFirstPidNamespace } from './evidence.ts';
import type { ExitClass } from './machine/classify.ts';
import { countBelow } from './own-processes.ts';
import { SampleRecorder } from './samples/sample-recorder.ts';
import type { SessionContext } from './session-context.ts';
import { SnapshotKeeper } from './snapshots/snapshot-keeper.ts';
import { LeakWatch } from './warnings/leak-watch.ts';
import { readMemoryBounds } from './warnings/memory-files.ts';

/** Ends of a worker that nobody has to look into. */
const NO_CRASHES: ReadonlySet<ExitClass> = new Set(['completed', 'interrupted', 'requested', 'config', 'power-cut']);
/** How long the end of a session waits for what nvidia-smi has to say of it. */
const PATIENCE_MS = 1_500;

export interface CardKnowledgeOptions {
  readonly context: SessionContext;
  /** Null: the cards are not watched yet. */
  readonly cards: () => Pick<CardWatch, 'isWatching' | 'recent' | 'rows'> | null;
  readonly environment: NodeJS.ProcessEnv;
}

export class CardKnowledge {
  readonly #options: CardKnowledgeOptions;
  readonly #snapshots: SnapshotKeeper;
  readonly #samples: SampleRecorder;
  readonly #adviser: Adviser;
  readonly #shares: ShareWatch;
  readonly #leaks: LeakWatch;

  constructor(options: CardKnowledgeOptions) {
    this.#options = options;
    const { layout, outputDirectory, index, tell, now, nowMs } = options.context;
    const smi = smiCommand(options.environment);
    this.#snapshots = new SnapshotKeeper({ session: layout.session, outputDirectory, smi, tell, now, nowMs });
    const write = index.noteGpuSamples.bind(index);
    this.#samples = new SampleRecorder({ write, now, nowMs });
    const cards = (): readonly GpuSample[] => options.cards()?.rows() ?? [];
    this.#adviser = new Adviser({ tell, nowMs, cards, countBelow });
    this.#leaks = new LeakWatch({ tell, nowMs, cards, memoryBounds: readMemoryBounds });
    const onShares = this.#adviser.takeShares.bind(this.#adviser);
    this.#shares = new ShareWatch({ smi, nowMs, cards, onShares, group: () => this.#workerGroup() });
  }

  /** Each row of each card. */
  sample(sample: GpuSample): void {
    this.#samples.take(sample);
  }

  /** Every event of the run. */
  take(event: SupervisorEvent): void {
    this.#adviser.take(event);
    this.#leaks.take(event);
    if (event.name === 'progress') this.#shares.look();
    if (event.name === 'save-started' && event.kinds.includes('emergency')) {
      this.#keep('emergency-save', this.#options.context.record.file.attempts, event.reason);
    } else if (event.name === 'worker-ended' && !NO_CRASHES.has(event.class)) {
      this.#keep('crash', event.attempt, `${event.class}: ${event.reason}`);
    }
  }

  async close(): Promise<void> {
    this.#samples.close();
    await this.#snapshots.close(PATIENCE_MS);
  }

  #keep(why: 'crash' | 'emergency-save', attempt: number, reason: string | null): void {
    const cards = this.#options.cards();
    // Of a machine without cards there is nothing to keep.
    if (cards?.isWatching !== true) return;
    this.#snapshots.keep(why, attempt, reason, cards.recent());
  }

  #workerGroup(): number | null {
    return inFirstPidNamespace() ? (this.#options.context.record.file.worker?.group.pid ?? null) : null;
  }
}
