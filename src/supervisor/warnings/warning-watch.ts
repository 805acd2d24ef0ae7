/** Looks every few seconds whether something endangers the run, and tells each thing once when it begins. */
import type { CardDecision } from '../../gpu/policy/card-decision.ts';
import { decideMemory, MEMORY_WELL, type MemoryState } from '../../gpu/policy/memory.ts';
import type { SupervisorEvent } from '../events.ts';
import { OnsetWarnings } from '../onset-warnings.ts';
import type { SessionContext } from '../session-context.ts';
import { clear, raise, type Verdict } from './condition.ts';
import { judgeCrashLoop } from './crash-loop.ts';
import { type DiskSample, judgeDisk, withSample } from './disk-forecast.ts';
import { judgeMemory, type MemoryBound, tightestOf } from './host-memory.ts';
import { readMemoryBounds, readResidentBytes } from './memory-files.ts';
import { judgeNotConnected } from './not-connected.ts';
import { afterEvent, NO_FACTS, remainingMs, type SaveWatchFacts } from './save-facts.ts';
import { intervalOf, judgeDurableAge, judgeSkippedSaves, judgeSlowSave } from './save-warnings.ts';

const LOOK_MS = 5_000;
const MIB = 1024 ** 2;

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
  readonly #relieve: (decision: CardDecision) => void;
  #memory: MemoryState = MEMORY_WELL;

  /**
   * @param isCommand a command is launched in place of a script for our Node
   * @param relieve what is to be done where the host's memory is nearly full: a save, a request to free some
   */
  constructor(
    context: SessionContext,
    isCommand: boolean,
    relieve: (decision: CardDecision) => void,
    sources: WarningSources = SYSTEM,
  ) {
    this.#relieve = relieve;
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
    const bounds = this.#sources.memoryBounds();
    this.#judge('host-memory', judgeMemory(bounds, workerBytes));
    this.#relieveMemory(bounds, nowMs);
    await this.#lookAtDisk(facts, intervalMs, nowMs);
  }

  /** At 95 %, and again every five minutes; the warning has been told by then. */
  #relieveMemory(bounds: readonly MemoryBound[], nowMs: number): void {
    const tight = tightestOf(bounds);
    if (tight === null) return;
    const reading = { usedMib: tight.usedBytes / MIB, totalMib: tight.limitBytes / MIB };
    const card = tight.name === 'host' ? 'This machine' : "This session's cgroup";
    const { state, decisions } = decideMemory(this.#memory, reading, nowMs, { profile: null, card });
    this.#memory = state;
    for (const decision of decisions) {
      if (decision.type === 'save' || decision.type === 'release') this.#relieve(decision);
    }
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
