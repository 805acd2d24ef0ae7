/** Model, optimizer, schedule and average of a tfjs training run as one `TrainingState`. */
import * as tf from '@tensorflow/tfjs-core';
import { encodeState } from '../../checkpoint/state-json.ts';
import type { SavedState, Snapshot, SnapshotTensor, TrainingState } from '../state.ts';
import { WeightAverage } from './average.ts';
import { backendInUse } from './backend.ts';
import { EvaluatedWeights } from './evaluated-weights.ts';
import { mismatches, refuseState } from './mismatch.ts';
import { tensorflowVersion } from './native.ts';
import { OptimizerState } from './optimizer-state.ts';
import { averagesOf, type ExportedWeight, type TfjsFacts, tfjsFacts } from './saved-facts.ts';
import type { Schedule } from './schedule.ts';
import { dtypeOf, readerOf, reference, tensorOf } from './tensor-bytes.ts';
import { ValueMark } from './value-mark.ts';
import { exportedWeights, namedModels, namedVariables, type Weights } from './weights.ts';

export interface TfjsStateParts {
  /** What is trained. Names in the checkpoint follow its structure, so keep the structure between runs. */
  readonly model: Weights;
  /** One of tfjs's optimizers, or several by name. Default: the one that a layers model was compiled with. */
  readonly optimizer?: tf.Optimizer | Readonly<Record<string, tf.Optimizer>>;
  /** Sets the learning rate (of every optimizer) before the first step and after each one. */
  readonly schedule?: Schedule;
  /** `ema()` or `swa()`, or several by name; of several the first that has begun is what an exported best model holds. */
  readonly average?: WeightAverage | Readonly<Record<string, WeightAverage>>;
}

/**
 * The state to give to `run.restore()`.
 *
 * @throws NkatError 'state-not-serializable' for an optimizer that is not one of tfjs's own and for a weight that is
 * neither float32, int32 nor bool.
 */
export function tfjsState(parts: TfjsStateParts): TrainingState {
  return new TfjsState(parts);
}

/** Prefix of the tensors' names of an average that is the only one. */
const ONLY_AVERAGE = 'average';

class TfjsState implements TrainingState {
  readonly #parts: TfjsStateParts;
  readonly #weights: ReturnType<typeof namedVariables>;
  readonly #evaluated: EvaluatedWeights;
  /** By the prefix of their tensors' names. */
  readonly #averages: Readonly<Record<string, WeightAverage>>;
  readonly #optimizers: readonly OptimizerState[];
  readonly #topology: Readonly<Record<string, string>>;
  readonly #layers: Readonly<Record<string, readonly ExportedWeight[]>>;
  readonly #mark = new ValueMark();
  #steps = 0;
  #scale = 1;

  constructor(parts: TfjsStateParts) {
    this.#parts = parts;
    this.#weights = namedVariables(parts.model);
    for (const { name, variable } of this.#weights) dtypeOf(name, variable);
    this.#optimizers = Object.entries(namedOptimizers(parts)).map(
      ([name, optimizer]) => new OptimizerState(name, optimizer, this.#weights),
    );
    this.#topology = Object.fromEntries(
      namedModels(parts.model).map(({ name, model }) => [name, String(model.toJSON())]),
    );
    this.#layers = exportedWeights(parts.model, this.#weights);
    this.#evaluated = new EvaluatedWeights(this.#weights);
    this.#averages = namedAverages(parts);
    for (const [name, average] of Object.entries(this.#averages)) average.attach(this.#evaluated, name);
    this.#applySchedule();
  }

  get versions(): Readonly<Record<string, string>> {
    const tensorflow = tensorflowVersion();
    return { tfjs: tf.version_core, ...(tensorflow === null ? {} : { tensorflow }) };
  }

  get backend(): string {
    return backendInUse();
  }

  snapshot(): Snapshot {
    const sources = [
      ...this.#weights.map(({ name, variable }, index) => ({ name, tensor: this.#evaluated.live(index) ?? variable })),
      ...this.#optimizers.flatMap((optimizer) => optimizer.tensors()),
      ...Object.values(this.#averages).flatMap((average) => average.tensors()),
    ];
    const held = sources.map(({ tensor }) => reference(tensor));
    const tensors = held.map((tensor, index): SnapshotTensor => {
      const name = sources[index]?.name ?? '';
      return { name, dtype: dtypeOf(name, tensor), shape: tensor.shape, read: readerOf(tensor) };
    });
    return { tensors, json: this.#facts(), release: () => tf.dispose(held) };
  }

  restore(saved: SavedState): void {
    const facts = tfjsFacts(saved.json);
    if (facts === null) refuseState(['it was not saved by tfjsState']);
    const problems = this.#problems(facts, saved);
    if (problems.length > 0) refuseState(problems);

    const tensors = new Map<string, tf.Tensor>();
    try {
      for (const [name, tensor] of saved.tensors) tensors.set(name, tensorOf(tensor));
      for (const { name, variable } of this.#weights) variable.assign(tensors.get(name) ?? variable);
      for (const optimizer of this.#optimizers) {
        const optimizerFacts = facts.optimizers[optimizer.name];
        if (optimizerFacts !== undefined) optimizer.restore(optimizerFacts, tensors);
      }
      for (const [name, before] of Object.entries(averagesOf(facts))) this.#averages[name]?.restore(before, tensors);
    } finally {
      tf.dispose([...tensors.values()]);
    }
    this.#steps = facts.steps;
    this.#scaleRates(this.#scale / facts.scale);
    this.#parts.schedule?.restore?.(facts.schedule);
    this.#applySchedule();
  }

  restored(): void {
    this.#applySchedule();
  }

  /** Of the step just made until `afterStep` is called for it, then of the next one. */
  learningRate(): number | undefined {
    return this.#optimizers[0]?.learningRate;
  }

  afterStep(step: number): void {
    this.#steps = step;
    for (const average of Object.values(this.#averages)) average.afterStep(step);
    this.#applySchedule();
  }

  scaleLearningRate(scale: number): void {
    this.#scaleRates(scale / this.#scale);
    this.#scale = scale;
    this.#applySchedule();
  }

  #scaleRates(factor: number): void {
    // Untouched where there is nothing to scale: a product by 1 would do no harm, a rate set anew on SGD makes a tensor.
    if (factor === 1) return;
    for (const optimizer of this.#optimizers) optimizer.learningRate *= factor;
  }

  mark(): void {
    this.#mark.take((look) => this.#visit(look), this.#rest());
  }

  isMarked(): boolean {
    return this.#mark.holds((look) => this.#visit(look), this.#rest());
  }

  memory(): Readonly<Record<string, number>> {
    const { numTensors, numDataBuffers, numBytes } = tf.memory();
    return { tfjsTensors: numTensors, tfjsBuffers: numDataBuffers, tfjsBytes: numBytes };
  }

  /** Every tensor of a snapshot, without a copy or a name. */
  #visit(look: (tensor: tf.Tensor) => void): void {
    let at = 0;
    for (const { variable } of this.#weights) look(this.#evaluated.live(at++) ?? variable);
    for (const optimizer of this.#optimizers) optimizer.visit(look);
    for (const average of Object.values(this.#averages)) average.visit(look);
  }

  /** What of a snapshot is no tensor and may change: numbers, and the memory of a schedule that has one. */
  #rest(): readonly (number | string)[] {
    const memory = this.#parts.schedule?.state?.();
    const numbers = this.#optimizers.flatMap(({ iterations, learningRate }) => [iterations, learningRate]);
    return memory === undefined ? numbers : [...numbers, encodeState(memory)];
  }

  #applySchedule(): void {
    const { schedule } = this.#parts;
    if (schedule === undefined) return;
    const rate = schedule.rate(this.#steps) * this.#scale;
    for (const optimizer of this.#optimizers) optimizer.learningRate = rate;
  }

  #facts(): TfjsFacts {
    const { [ONLY_AVERAGE]: only, ...named } = this.#averages;
    return {
      steps: this.#steps,
      topology: this.#topology,
      layers: this.#layers,
      optimizers: Object.fromEntries(this.#optimizers.map((optimizer) => [optimizer.name, optimizer.facts()])),
      scale: this.#scale,
      schedule: this.#parts.schedule?.state?.() ?? null,
      average: only?.facts() ?? null,
      averages: Object.fromEntries(Object.entries(named).map(([name, average]) => [name, average.facts()])),
    };
  }

  /** Everything that keeps these facts and tensors from being restored; nothing is changed here. */
  #problems(facts: TfjsFacts, saved: SavedState): string[] {
    if (this.#evaluated.swapped) return ['restore() was called inside average.evaluate()'];
    const problems: string[] = [];
    const expected = this.#weights.map(({ name, variable }) => ({ name, like: variable as tf.Tensor }));
    const known = new Set(this.#weights.map(({ name }) => name));
    for (const optimizer of this.#optimizers) {
      const optimizerFacts = facts.optimizers[optimizer.name];
      if (optimizerFacts === undefined) problems.push(`${optimizer.name} (${optimizer.className}) is missing`);
      else if (optimizerFacts.className !== optimizer.className) {
        problems.push(`${optimizer.name} is ${optimizerFacts.className} instead of ${optimizer.className}`);
      } else {
        const strangers = optimizerFacts.trained.filter((name) => !known.has(name));
        problems.push(...strangers.map((name) => `${optimizer.name} trained ${name}, which is unknown here`));
        expected.push(...optimizer.expected(optimizerFacts));
      }
    }
    for (const [name, { className }] of Object.entries(facts.optimizers)) {
      const here = this.#optimizers.some((optimizer) => optimizer.name === name);
      if (!here) problems.push(`${name} (${className}) is unknown here`);
    }
    const averages = averagesOf(facts);
    for (const name of new Set([...Object.keys(this.#averages), ...Object.keys(averages)])) {
      const before = averages[name];
      const here = this.#averages[name];
      const words = name === ONLY_AVERAGE ? 'the weight average' : `the weight average ${name}`;
      if (before?.kind !== here?.kind) {
        problems.push(`${words} is ${before?.kind ?? 'none'} instead of ${here?.kind ?? 'none'}`);
      } else if (before && here) expected.push(...here.expected(before));
    }
    return [...problems, ...mismatches(expected, saved.tensors)];
  }
}

function namedOptimizers({ model, optimizer }: TfjsStateParts): Readonly<Record<string, tf.Optimizer>> {
  const given = optimizer ?? ('optimizer' in model ? (model.optimizer as tf.Optimizer | undefined) : undefined);
  if (given === undefined) return {};
  if ('applyGradients' in given) return { optimizer: given as tf.Optimizer };
  return Object.fromEntries(Object.entries(given).map(([name, one]) => [`optimizer/${name}`, one]));
}

function namedAverages({ average }: TfjsStateParts): Readonly<Record<string, WeightAverage>> {
  if (average === undefined) return {};
  if (average instanceof WeightAverage) return { [ONLY_AVERAGE]: average };
  return Object.fromEntries(Object.entries(average).map(([name, one]) => [`${ONLY_AVERAGE}/${name}`, one]));
}
