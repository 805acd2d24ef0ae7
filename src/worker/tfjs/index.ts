/** `nkat-recover/tfjs`: the state of a TensorFlow.js training run, and the backend that it runs on. */
export { type EmaOptions, ema, type SwaOptions, swa, type WeightAverage } from './average.ts';
export { type BackendChoice, type BackendName, type BackendOptions, useBackend } from './backend.ts';
export { recomputeBatchNorm } from './batch-norm.ts';
export { type SeededDropout, seededDropout } from './dropout.ts';
export { type CosineOptions, cosineSchedule, type Schedule } from './schedule.ts';
export { type TfjsStateParts, tfjsState } from './tfjs-state.ts';
export type { Weights } from './weights.ts';
