/** The figures of the end summary, gathered from the same events that the screen shows. */
import type { CheckpointPlace, SaveFacts, Summary, SupervisorEvent } from './events.ts';

/** So many saves back is looked for the newest that still counts. */
const REMEMBERED_SAVES = 64;

export class SummaryGatherer {
  #trainedMs = 0;
  #lostMs = 0;
  #stepsLost = 0;
  /** Where the newest attempt ended. */
  #endedAtStep = 0;
  #workLostMs = 0;
  /** How long the newest attempt trained that has ended. */
  #endedAfterMs = 0;
  #trainingSinceMs: number | null = null;
  #saves = 0;
  #failedSaves = 0;
  #best: Summary['bestMetric'] = null;
  /** Oldest first; without those that were set aside, quarantined or passed over since. */
  #saved: readonly SaveFacts[] = [];
  #adopted = false;
  #wentOnFrom: CheckpointPlace | null = null;
  readonly #attemptsByClass = new Map<string, number>();

  /** @param nowMs monotonic time of the event. */
  take(event: SupervisorEvent, nowMs: number): void {
    switch (event.name) {
      case 'training-started':
        this.#trainingSinceMs = nowMs;
        // Without a checkpoint none is chosen, and all is lost.
        if (event.sequence === null) {
          this.#stepsLost += this.#endedAtStep;
          this.#workLostMs += this.#endedAfterMs;
        }
        this.#endedAtStep = 0;
        this.#endedAfterMs = 0;
        break;
      case 'worker-connected':
        if (!event.adopted) break;
        this.#trainingSinceMs = nowMs;
        this.#adopted = true;
        break;
      case 'progress':
        this.#best = event.bestMetric ?? this.#best;
        break;
      case 'worker-ended':
        this.#endTraining(nowMs);
        this.#endedAtStep = event.lastStep;
        this.#attemptsByClass.set(event.class, (this.#attemptsByClass.get(event.class) ?? 0) + 1);
        break;
      case 'checkpoint-chosen':
        this.#stepsLost += event.stepsLost;
        this.#workLostMs += event.lostMs ?? 0;
        this.#wentOnFrom = { sequence: event.sequence, epoch: event.epoch, step: event.step };
        // What is newer was passed over: it is not what a next start goes on from.
        this.#saved = this.#saved.filter(({ sequence }) => sequence <= event.sequence);
        break;
      case 'checkpoint-set-aside':
      case 'checkpoint-quarantined':
        this.#saved = this.#saved.filter(({ sequence }) => sequence !== event.sequence);
        break;
      case 'recovered':
        this.#lostMs += event.downMs;
        break;
      case 'saved':
        this.#saves += 1;
        this.#saved = [...this.#saved, facts(event)].slice(-REMEMBERED_SAVES);
        break;
      case 'save-failed':
        // Given up for a newer one: nothing failed.
        if (event.code !== 'superseded') this.#failedSaves += 1;
        break;
      default:
        break;
    }
  }

  summary(nowMs: number): Summary {
    this.#endTraining(nowMs);
    const last = this.#saved.at(-1) ?? null;
    return {
      trainedMs: this.#trainedMs,
      lostMs: this.#lostMs,
      stepsLost: this.#stepsLost,
      workLostMs: this.#workLostMs,
      attempts: [...this.#attemptsByClass.values()].reduce((sum, count) => sum + count, 0),
      attemptsByClass: Object.fromEntries(this.#attemptsByClass),
      adopted: this.#adopted,
      wentOnFrom: this.#wentOnFrom,
      saves: this.#saves,
      failedSaves: this.#failedSaves,
      bestMetric: this.#best,
      digest: last?.digest ?? null,
      lastCheckpoint: last,
    };
  }

  #endTraining(nowMs: number): void {
    if (this.#trainingSinceMs !== null) {
      this.#endedAfterMs = nowMs - this.#trainingSinceMs;
      this.#trainedMs += this.#endedAfterMs;
    }
    this.#trainingSinceMs = null;
  }
}

function facts({ name: _, ...rest }: SaveFacts & { name: string }): SaveFacts {
  return rest;
}
