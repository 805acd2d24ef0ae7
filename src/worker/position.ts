/**
 * Where training stands: epochs and steps completed, and the place inside the epoch in samples. The place counts only
 * up to the last step boundary, since nothing past it is in a checkpoint.
 */
import { NkatError } from '../errors.ts';
import { type DataFacts, differences, stepFacts } from './data-facts.ts';

export interface PositionState {
  readonly step: number;
  /** Epochs completed, hence the number of the present one, from 0. */
  readonly epoch: number;
  /** Pass over data within the epoch, from 0; -1 before the first. */
  readonly pass: number;
  /** Samples of that pass that are trained. */
  readonly sample: number;
  /** Of that pass; null before the first pass of the run. */
  readonly data: DataFacts | null;
  /** Step at which the present epoch began. */
  readonly epochFirstStep: number;
  /** Steps of the epoch before; null: none was completed. */
  readonly epochSteps: number | null;
}

const START: PositionState = {
  step: 0,
  epoch: 0,
  pass: -1,
  sample: 0,
  data: null,
  epochFirstStep: 0,
  epochSteps: null,
};

/** How a pass begins: at which sample, or not at all because it was completed before the checkpoint. */
export type PassStart =
  | {
      readonly kind: 'from';
      readonly sample: number;
      readonly takenUp: boolean;
      readonly differs: string | null;
      /** Steps of this epoch that the checkpoint holds and that are made again, for nothing says which they were. */
      readonly stepsAgain: number;
    }
  | { readonly kind: 'completed' };

export class Position {
  #at: PositionState = START;
  /** Place to take up after a restore; null once it was. */
  #resumed: PositionState | null = null;
  #pass = -1;
  #yielded = 0;
  #data: DataFacts | null = null;
  /** Steps made of the batch that is out; null: none is out, or what is counted are steps. */
  #stepsOfBatch: number | null = null;

  get step(): number {
    return this.#at.step;
  }

  get epoch(): number {
    return this.#at.epoch;
  }

  /** True between a restore in mid-epoch and the first batch after it. */
  get insideEpoch(): boolean {
    return this.#resumed !== null && this.#resumed.pass >= 0;
  }

  /**
   * True when a step is about to be made outside of any pass in an epoch that the checkpoint has in its middle: the
   * trainer trains that epoch again from its head.
   */
  get startsEpochOver(): boolean {
    return this.#resumed?.step === this.#at.step && this.#pass < 0 && this.stepsInEpoch > 0;
  }

  /** Pass that runs now; -1 outside. */
  get pass(): number {
    return this.#pass;
  }

  /** True when a batch was handed out whose step was not made yet. */
  get batchOpen(): boolean {
    return this.#yielded > 0 && (this.#at.pass !== this.#pass || this.#at.sample !== this.#yielded);
  }

  /** True when the batch that is out has been stepped on before: what is saved in between takes it for trained. */
  get sharesBatch(): boolean {
    return this.#stepsOfBatch !== null && this.#stepsOfBatch > 1;
  }

  get stepsInEpoch(): number {
    return this.#at.step - this.#at.epochFirstStep;
  }

  get epochSteps(): number | null {
    return this.#at.epochSteps;
  }

  state(): PositionState {
    return this.#at;
  }

  putBack(state: PositionState): void {
    this.#at = state;
    this.#resumed = state;
    this.#pass = -1;
  }

  /**
   * Each epoch has this many steps: a checkpoint that a loop without passes made in mid-epoch has its place too.
   */
  countsSteps(stepsPerEpoch: number): void {
    const resumed = this.#resumed;
    if (resumed === null || resumed.pass >= 0 || this.stepsInEpoch === 0) return;
    const sample = this.stepsInEpoch;
    // More steps than there are now: `beginPass` refuses them as another length.
    this.#resumed = { ...resumed, pass: 0, sample, data: stepFacts(Math.max(stepsPerEpoch, sample)) };
  }

  /**
   * Next pass over data in this epoch.
   * @throws NkatError `state-mismatch` when a pass is to be taken up in its middle over other data.
   */
  beginPass(data: DataFacts): PassStart {
    this.#pass++;
    const resumed = this.#resumed;
    this.#data = data;
    this.#yielded = 0;
    if (resumed === null) return { kind: 'from', sample: 0, takenUp: false, differs: null, stepsAgain: 0 };
    if (this.#pass < resumed.pass) return { kind: 'completed' };
    this.#resumed = null;
    const differs = resumed.data === null ? null : differences(resumed.data, data);
    if (resumed.pass < 0) {
      return { kind: 'from', sample: 0, takenUp: true, differs, stepsAgain: resumed.step - resumed.epochFirstStep };
    }
    if (differs !== null) {
      throw new NkatError(
        `this checkpoint is from the middle of epoch ${resumed.epoch}, but the data changed since: ${differs}`,
        {
          code: 'state-mismatch',
          operation: 'take up the epoch',
          hint: 'Train on the same data with the same batches, or start a new session with --new.',
        },
      );
    }
    this.#yielded = resumed.sample;
    return { kind: 'from', sample: resumed.sample, takenUp: true, differs: null, stepsAgain: 0 };
  }

  /** A batch that ends at this sample was handed to the trainer. */
  yielded(sample: number): void {
    this.#yielded = sample;
    this.#stepsOfBatch = this.#data?.unit === 'step' ? null : 0;
  }

  /** No batch of the pass is out any more. */
  passEnded(): void {
    this.#stepsOfBatch = null;
  }

  stepMade(): void {
    if (this.#stepsOfBatch !== null) this.#stepsOfBatch += 1;
    const { epoch, epochFirstStep, epochSteps } = this.#at;
    this.#at = {
      step: this.#at.step + 1,
      epoch,
      pass: this.#pass,
      sample: this.#yielded,
      data: this.#data,
      epochFirstStep,
      epochSteps,
    };
  }

  epochMade(): void {
    const { step, epoch, epochFirstStep } = this.#at;
    this.#resumed = null;
    this.#pass = -1;
    this.#yielded = 0;
    this.#at = {
      step,
      epoch: epoch + 1,
      pass: -1,
      sample: 0,
      data: this.#data,
      epochFirstStep: step,
      epochSteps: step - epochFirstStep,
    };
  }
}
