/** `nkat-recover/worker`: what a trainer imports. */
export { type ErrorCode, NkatError } from '../errors.ts';
export type { AloneSettings } from './alone-settings.ts';
export { type ArraysStateOptions, arraysState, type TensorArray } from './arrays-state.ts';
export type { BatchOptions, TakingData } from './batches.ts';
export { type ConnectOptions, connect } from './connect.ts';
export type { RandomGenerator } from './random.ts';
export type { ReportedProgress } from './reported-progress.ts';
export type { BestByOptions, EpochOptions, Interruption, ManualSave, Metrics, ResumedFrom, Run } from './run.ts';
export type { SaveOutcome } from './save-in-flight.ts';
export type { SavedState, SavedTensor, Snapshot, SnapshotTensor, StateValue, TrainingState } from './state.ts';
