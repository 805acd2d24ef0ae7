/** What happens at which step: warm-up, cosine, and the averages. All in steps, so that a resumed run knows its place. */
import { type CosineOptions, cosineSchedule, ema, type Schedule, swa, type WeightAverage } from 'nkat-recover/tfjs';

/** Share of the epochs after which the weights at the end of each epoch are averaged. */
const SWA_FROM = 0.75;
/** The rate that the cosine comes down to there, as a share of the highest: SWA wants weights that still move. */
const SWA_RATE = 0.1;
const WARMUP_SHARE = 0.1;
const EMA_DECAY = 0.999;

export interface Plan {
  readonly schedule: Schedule;
  readonly averages: { readonly ema: WeightAverage; readonly swa: WeightAverage };
  /** Step after which SWA has its first sample. */
  readonly swaStart: number;
}

export function planOf(epochs: number, stepsPerEpoch: number, learningRate: number): Plan {
  const swaStart = Math.ceil(SWA_FROM * epochs) * stepsPerEpoch;
  const cosine: CosineOptions = {
    initial: learningRate,
    final: learningRate * SWA_RATE,
    steps: swaStart,
    warmupSteps: Math.floor(swaStart * WARMUP_SHARE),
  };
  return {
    schedule: cosineSchedule(cosine),
    averages: { ema: ema({ decay: EMA_DECAY }), swa: swa({ start: swaStart, every: stepsPerEpoch }) },
    swaStart,
  };
}
