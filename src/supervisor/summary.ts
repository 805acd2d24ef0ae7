/** The figures of the end summary, gathered from the same events that the screen shows. */
import type { CheckpointPlace, SaveFacts, Summary, SupervisorEvent } from './events.ts';

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
  #lastCheckpoint: SaveFacts | null = null;
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
        break;
      case 'recovered':
        this.#lostMs += event.downMs;
        break;
      case 'saved':
        this.#saves += 1;
        this.#lastCheckpoint = facts(event);
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
      digest: this.#lastCheckpoint?.digest ?? null,
      lastCheckpoint: this.#lastCheckpoint,
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
