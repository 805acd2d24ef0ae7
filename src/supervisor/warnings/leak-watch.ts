/** Watches what the framework of a worker holds from step to step, and tells once that it leaks. */
import type { GpuSample } from '../../gpu/sample.ts';
import { deviceOf } from '../backend-device.ts';
import type { EventNamed, SupervisorEvent } from '../events.ts';
import { OnsetWarnings } from '../onset-warnings.ts';
import type { MemoryBound } from './host-memory.ts';
import { judgeLeak, type LeakRoom, type LeakState, NO_TREND, withLeakSample } from './leak-trend.ts';

const CODE = 'tensor-leak';
const MIB = 1024 ** 2;

export interface LeakWatchOptions {
  readonly tell: (event: SupervisorEvent) => void;
  readonly nowMs: () => number;
  readonly memoryBounds: () => readonly MemoryBound[];
  /** Newest rows of the worker's cards. */
  readonly cards: () => readonly GpuSample[];
}

export class LeakWatch {
  readonly #options: LeakWatchOptions;
  readonly #warnings: OnsetWarnings;
  #trend: LeakState = NO_TREND;
  #step = -1;
  #backend: string | null = null;
  #isSaving = false;

  constructor(options: LeakWatchOptions) {
    this.#options = options;
    this.#warnings = new OnsetWarnings(options.tell);
  }

  /** Every event of the run. */
  take(event: SupervisorEvent): void {
    switch (event.name) {
      case 'attempt-started':
        this.#begin(null);
        break;
      case 'training-started':
        this.#begin(event.backend);
        break;
      case 'worker-connected':
        if (event.backend != null) this.#begin(event.backend);
        break;
      case 'save-started':
        this.#isSaving = true;
        break;
      case 'saved':
      case 'save-failed':
        this.#isSaving = false;
        break;
      case 'progress':
        this.#look(event);
        break;
      default:
        break;
    }
  }

  #begin(backend: string | null): void {
    this.#trend = NO_TREND;
    this.#step = -1;
    this.#backend = backend;
    this.#isSaving = false;
    this.#warnings.end(CODE, 'Another worker has begun: what the one before held is free');
  }

  #look({ phase, epoch, memory, stepsPerSecond }: EventNamed<'progress'>): void {
    const { tfjsTensors: tensors, tfjsBytes: bytes } = memory?.figures ?? {};
    if (memory == null || tensors === undefined || bytes === undefined) return;
    // While a save reads, or an evaluation runs, more is held on purpose.
    if (memory.step <= this.#step || phase !== 'train' || this.#isSaving) return;
    this.#step = memory.step;
    const before = this.#trend.buckets.length;
    const atMs = this.#options.nowMs();
    this.#trend = withLeakSample(this.#trend, { atMs, step: memory.step, epoch, tensors, bytes });
    // Nothing new is known before another bucket is full.
    if (this.#trend.buckets.length === before) return;
    const verdict = judgeLeak(this.#trend, stepsPerSecond, this.#room());
    if (verdict.kind === 'raise') this.#warnings.begin(CODE, verdict.message, verdict.hint);
    else if (verdict.kind === 'clear') this.#warnings.end(CODE, verdict.message);
  }

  /** Of the card where the backend computes on one, else of the host, and of its limits the tightest. */
  #room(): LeakRoom | null {
    if (deviceOf(this.#backend) === 'gpu') {
      const rooms = this.#options.cards().flatMap(({ values: { index, memoryUsedMib, memoryTotalMib } }) => {
        if (memoryUsedMib === null || memoryTotalMib === null) return [];
        return [{ words: `the memory of GPU ${index ?? '?'}`, freeBytes: (memoryTotalMib - memoryUsedMib) * MIB }];
      });
      return least(rooms);
    }
    const bounds = this.#options.memoryBounds().map(({ name, limitBytes, usedBytes }) => ({
      words: name === 'host' ? 'the memory of this machine' : "the memory limit of this session's cgroup",
      freeBytes: Math.max(0, limitBytes - usedBytes),
    }));
    return least(bounds);
  }
}

function least(rooms: readonly LeakRoom[]): LeakRoom | null {
  return rooms.toSorted((a, b) => a.freeBytes - b.freeBytes)[0] ?? null;
}
