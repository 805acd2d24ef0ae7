/** Looks every few seconds whether something endangers the run, and tells each thing once when it begins. */
import type { SupervisorEvent } from '../events.ts';
import { OnsetWarnings } from '../onset-warnings.ts';
import type { SessionContext } from '../session-context.ts';
import { clear, raise, type Verdict } from './condition.ts';
import { judgeCrashLoop } from './crash-loop.ts';
import { type DiskSample, judgeDisk, withSample } from './disk-forecast.ts';
import { judgeMemory, type MemoryBound } from './host-memory.ts';
import { readMemoryBounds, readResidentBytes } from './memory-files.ts';
import { judgeNotConnected } from './not-connected.ts';
import { afterEvent, NO_FACTS, remainingMs, type SaveWatchFacts } from './save-facts.ts';
import { intervalOf, judgeDurableAge, judgeSkippedSaves, judgeSlowSave } from './save-warnings.ts';

const LOOK_MS = 5_000;

/** What is read of the system; other readings in tests. */
export interface WarningSources {
  readonly memoryBounds: () => readonly MemoryBound[];
  readonly residentBytes: (pid: number) => number | null;
}

const SYSTEM: WarningSources = { memoryBounds: readMemoryBounds, residentBytes: readResidentBytes };

export class WarningWatch {
  readonly #context: SessionContext;
  readonly #sources: WarningSources;
  readonly #warnings: OnsetWarnings;
  readonly #isCommand: boolean;
  #facts: SaveWatchFacts = NO_FACTS;
  #samples: readonly DiskSample[] = [];
  #timer: NodeJS.Timeout | null = null;

  /** @param isCommand a command is launched in place of a script for our Node */
  constructor(context: SessionContext, isCommand: boolean, sources: WarningSources = SYSTEM) {
    this.#context = context;
    this.#isCommand = isCommand;
    this.#sources = sources;
    this.#warnings = new OnsetWarnings(context.tell);
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Every event of the run, its own included. */
  take(event: SupervisorEvent): void {
    this.#facts = afterEvent(this.#facts, event, this.#context.nowMs());
  }

  /** One look; by the timer, and by tests. */
  async look(): Promise<void> {
    const nowMs = this.#context.nowMs();
    const { settings } = this.#context;
    const facts = this.#facts;
    const intervalMs = intervalOf(settings.save, facts);
    this.#judge('durable-age', judgeDurableAge(facts, intervalMs, nowMs));
    this.#judge('slow-save', judgeSlowSave(facts, intervalMs, nowMs));
    this.#judge('skipped-saves', judgeSkippedSaves(facts, intervalMs, nowMs));
    const awaited = { phaseLimitMs: settings.hang.otherMs, isCommand: this.#isCommand };
    this.#judge('not-connected', judgeNotConnected(facts, awaited, nowMs));
    this.#judge('crash-loop', judgeCrashLoop(facts));
    this.#judge('index', judgeIndex(this.#context.index.degraded));
    const workerBytes = facts.workerPid === null ? null : this.#sources.residentBytes(facts.workerPid);
    this.#judge('host-memory', judgeMemory(this.#sources.memoryBounds(), workerBytes));
    await this.#lookAtDisk(facts, intervalMs, nowMs);
  }

  async #lookAtDisk(facts: SaveWatchFacts, intervalMs: number | null, nowMs: number): Promise<void> {
    const { files, layout, index, settings } = this.#context;
    const saveBytes = facts.lastSaveBytes;
    if (saveBytes === null || facts.trainingSinceMs === null || facts.diskFull) return;
    const freeBytes = await files.freeBytes(layout.directory).catch(() => null);
    // Unmounted or failing: the saves say so.
    if (freeBytes === null) return;
    const present = index.present().length;
    this.#samples = withSample(this.#samples, { atMs: nowMs, freeBytes, ownBytes: present * saveBytes });
    const { keep, maxBytes } = settings;
    const outlook = { samples: this.#samples, present, keep, maxBytes, saveBytes, intervalMs };
    this.#judge('disk-filling', judgeDisk({ ...outlook, remainingMs: remainingMs(facts) }, layout.directory));
  }

  #judge(code: string, verdict: Verdict): void {
    if (verdict.kind === 'raise') this.#warnings.begin(code, verdict.message, verdict.hint);
    else if (verdict.kind === 'clear') this.#warnings.end(code, verdict.message);
  }
}

function judgeIndex(degraded: string | null): Verdict {
  if (degraded === null) return clear('The session database is written again, with all that had waited');
  return raise(
    `The session database takes no writes (${degraded}); they are kept in memory, and training goes on`,
    'Look at the room and the permissions of the state home. Checkpoints do not depend on it.',
  );
}
