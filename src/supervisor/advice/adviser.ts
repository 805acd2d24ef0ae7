/** Gathers moments, has each policy judge them, and tells what one of them has to say: once, and again only long after it was over. */
import type { GpuSample } from '../../gpu/sample.ts';
import { deviceOf } from '../backend-device.ts';
import type { SupervisorEvent } from '../events.ts';
import type { Verdict } from '../warnings/condition.ts';
import { judgeCpuTraining } from './cpu-training.ts';
import { judgeHeat, judgeLowClocks, judgePower } from './held-back.ts';
import { judgeIdleCard } from './idle-card.ts';
import { judgeLoaders, type Loaders } from './loaders.ts';
import { type Stretch, type TrainingPhase, withMoment } from './moment.ts';
import { judgeSharedCard, type SharedCard } from './shared-card.ts';
import { type BestStretch, betterOf, judgeSlower } from './slower.ts';

/** What has come, gone and come again may be said again after that time. */
const REPEAT_MS = 3_600_000;
/** Judging costs more than gathering, and nothing of this is urgent. */
const JUDGE_EVERY_MS = 5_000;

export interface AdviserOptions {
  readonly tell: (event: SupervisorEvent) => void;
  readonly nowMs: () => number;
  /** Newest rows of the worker's cards; none: nothing is advised. */
  readonly cards: () => readonly GpuSample[];
  /** Living processes that this one has started, and theirs. */
  readonly countBelow: (pid: number) => number;
}

interface Told {
  readonly atMs: number;
  readonly over: boolean;
}

export class Adviser {
  readonly #options: AdviserOptions;
  readonly #told = new Map<string, Told>();
  #stretch: Stretch = [];
  #best: BestStretch | null = null;
  #judgedMs = Number.NEGATIVE_INFINITY;
  #backend: string | null = null;
  /** What the worker declares, and its process; null: nothing, or no worker. */
  #declared: { readonly loaders: number; readonly pid: number } | null = null;

  constructor(options: AdviserOptions) {
    this.#options = options;
  }

  /** Every event of the run. */
  take(event: SupervisorEvent): void {
    switch (event.name) {
      case 'training-started':
        this.#backend = event.backend;
        this.#stretch = [];
        break;
      case 'worker-connected':
        // An adopted worker tells it with its hello.
        if (event.backend != null) this.#backend = event.backend;
        this.#declared = event.loaders == null ? null : { loaders: event.loaders, pid: event.pid };
        break;
      case 'attempt-started':
      case 'worker-ended':
        this.#declared = null;
        this.#stretch = [];
        break;
      case 'progress':
        this.#look(event);
        break;
      default:
        break;
    }
  }

  /** @param cards of the worker, with who else is on them */
  takeShares(cards: readonly SharedCard[]): void {
    for (const card of cards) this.#judge(`gpu-shared:${card.index ?? '?'}`, 'train', judgeSharedCard(card));
  }

  #look({ phase, stepsPerSecond, waiting, throttle = 0 }: Extract<SupervisorEvent, { name: 'progress' }>): void {
    const cards = this.#options.cards();
    // Whoever stands still or is slowed down on purpose gets no advice.
    const isAtWork = (phase === 'train' || phase === 'eval') && waiting === null && throttle === 0;
    if (!isAtWork || cards.length === 0) {
      this.#stretch = [];
      return;
    }
    const nowMs = this.#options.nowMs();
    this.#stretch = withMoment(this.#stretch, { atMs: nowMs, phase, stepsPerSecond, cards });
    if (nowMs - this.#judgedMs < JUDGE_EVERY_MS) return;
    this.#judgedMs = nowMs;
    this.#judgeStretch(phase, cards);
  }

  #judgeStretch(phase: TrainingPhase, cards: readonly GpuSample[]): void {
    const onCpu = deviceOf(this.#backend) === 'cpu';
    this.#judge('gpu-idle', phase, judgeIdleCard(this.#stretch, onCpu));
    this.#judge('few-loaders', phase, judgeLoaders(this.#stretch, this.#loaders(), onCpu));
    this.#judge('cpu-training', phase, judgeCpuTraining(this.#stretch, this.#backend));
    for (const [at, { values }] of cards.entries()) {
      const name = values.index ?? at;
      this.#judge(`gpu-heat:${name}`, phase, judgeHeat(this.#stretch, at));
      this.#judge(`gpu-power:${name}`, phase, judgePower(this.#stretch, at));
      this.#judge(`gpu-clocks:${name}`, phase, judgeLowClocks(this.#stretch, at));
    }
    if (phase !== 'train') return;
    this.#best = betterOf(this.#best, this.#stretch);
    this.#judge('slower', phase, judgeSlower(this.#stretch, this.#best));
  }

  #loaders(): Loaders | null {
    if (this.#declared === null) return null;
    const { loaders, pid } = this.#declared;
    return { declared: loaders, running: () => this.#options.countBelow(pid) };
  }

  #judge(code: string, phase: TrainingPhase, verdict: Verdict): void {
    const { tell, nowMs } = this.#options;
    const key = `${code} ${phase}`;
    const told = this.#told.get(key);
    if (verdict.kind === 'clear' && told !== undefined) this.#told.set(key, { ...told, over: true });
    if (verdict.kind !== 'raise') return;
    if (told !== undefined && !(told.over && nowMs() - told.atMs >= REPEAT_MS)) {
      // It is back: whether it may be said again is counted from its next end.
      this.#told.set(key, { ...told, over: false });
      return;
    }
    this.#told.set(key, { atMs: nowMs(), over: false });
    tell({ name: 'advice', code, phase, message: verdict.message, hint: verdict.hint });
  }
}
