/** The inside of tfjs's built-in optimizers: which fields hold state, how to read them and how to put them back. */
import * as tf from '@tensorflow/tfjs-core';
import { NkatError } from '../../errors.ts';
import type { NamedVariable } from './weights.ts';

/** One accumulator per trained variable, created by tfjs at the first step. */
interface Slot {
  originalName: string;
  variable: tf.Variable;
}

interface Layout {
  /** Field of the optimizer, and the suffix that tfjs gives to a slot's name. */
  readonly slots: readonly { readonly field: string; readonly suffix: string }[];
  /** Fields that hold one scalar variable from the start. Adam's betas are saved as they have been accumulated. */
  readonly scalars: readonly string[];
}

/** Source: the optimizer classes of tfjs-core 4.22. */
const LAYOUTS: Readonly<Record<string, Layout>> = {
  SGD: { slots: [], scalars: [] },
  Momentum: { slots: [{ field: 'accumulations', suffix: 'momentum' }], scalars: [] },
  Adagrad: { slots: [{ field: 'accumulatedGrads', suffix: 'accumulator' }], scalars: [] },
  Adadelta: {
    slots: [
      { field: 'accumulatedGrads', suffix: 'accum_grad' },
      { field: 'accumulatedUpdates', suffix: 'accum_var' },
    ],
    scalars: [],
  },
  RMSProp: {
    slots: [
      { field: 'accumulatedMeanSquares', suffix: 'rms' },
      { field: 'accumulatedMoments', suffix: 'momentum' },
      { field: 'accumulatedMeanGrads', suffix: 'mg' },
    ],
    scalars: [],
  },
  Adam: {
    slots: [
      { field: 'accumulatedFirstMoment', suffix: 'm' },
      { field: 'accumulatedSecondMoment', suffix: 'v' },
    ],
    scalars: ['accBeta1', 'accBeta2'],
  },
  Adamax: {
    slots: [
      { field: 'accumulatedFirstMoment', suffix: 'm' },
      { field: 'accumulatedWeightedInfNorm', suffix: 'v' },
    ],
    scalars: ['accBeta1', 'iteration'],
  },
};

/** The part of an optimizer's state that is not tensors. */
export interface OptimizerFacts {
  readonly className: string;
  readonly iterations: number;
  readonly learningRate: number;
  /** Structural names of the trained variables in the order of the slots; empty before the first step. */
  readonly trained: readonly string[];
}

/** Fields that tfjs declares private or protected. */
interface Internals {
  iterations_?: number;
  learningRate: number;
  centered?: boolean;
  setLearningRate?: (rate: number) => void;
  [field: string]: unknown;
}

export class OptimizerState {
  readonly name: string;
  readonly className: string;
  readonly #optimizer: tf.Optimizer;
  readonly #internals: Internals;
  readonly #layout: Layout;
  readonly #weights: readonly NamedVariable[];

  /** @throws NkatError 'state-not-serializable' for an optimizer that is not one of tfjs's own. */
  constructor(name: string, optimizer: tf.Optimizer, weights: readonly NamedVariable[]) {
    this.name = name;
    this.className = optimizer.getClassName();
    this.#optimizer = optimizer;
    this.#internals = optimizer as unknown as Internals;
    this.#weights = weights;
    const layout = LAYOUTS[this.className];
    if (layout === undefined) {
      throw new NkatError(`the optimizer ${this.className} is not one of tfjs's own; its slots are not known`, {
        code: 'state-not-serializable',
        operation: 'describe the training state',
        hint: `Known are ${Object.keys(LAYOUTS).join(', ')}.`,
      });
    }
    // Only a centred RMSProp has mean gradients.
    const slots = layout.slots.filter((slot) => slot.suffix !== 'mg' || this.#internals.centered === true);
    this.#layout = { ...layout, slots };
  }

  get learningRate(): number {
    return this.#internals.learningRate;
  }

  set learningRate(rate: number) {
    // SGD and Momentum keep the rate in a tensor too.
    if (this.#internals.setLearningRate) this.#internals.setLearningRate(rate);
    else this.#internals.learningRate = rate;
  }

  facts(): OptimizerFacts {
    return {
      className: this.className,
      iterations: this.#optimizer.iterations,
      learningRate: this.learningRate,
      trained: this.#trained().map(({ name }) => name),
    };
  }

  tensors(): { name: string; tensor: tf.Tensor }[] {
    const trained = this.#trained();
    return [
      ...this.#layout.scalars.map((field) => ({ name: `${this.name}/${field}`, tensor: this.#scalar(field) })),
      ...this.#layout.slots.flatMap(({ field, suffix }) =>
        this.#slots(field).map((slot, index) => ({
          name: `${this.name}/${suffix}/${trained[index]?.name ?? index}`,
          tensor: slot.variable,
        })),
      ),
    ];
  }

  /** The tensors of {@link tensors} without their names: cheap enough for each step. */
  visit(look: (tensor: tf.Tensor) => void): void {
    for (const field of this.#layout.scalars) look(this.#scalar(field));
    for (const { field } of this.#layout.slots) for (const slot of this.#slots(field)) look(slot.variable);
  }

  /** Updates made so far, as the optimizer counts them. */
  get iterations(): number {
    return this.#optimizer.iterations;
  }

  /** Names and shapes of the tensors that a restore of these facts needs; a trained variable unknown here has none. */
  expected(facts: OptimizerFacts): { name: string; like: tf.Tensor }[] {
    return [
      ...this.#layout.scalars.map((field) => ({ name: `${this.name}/${field}`, like: this.#scalar(field) })),
      ...this.#layout.slots.flatMap(({ suffix }) =>
        facts.trained.flatMap((trained) => {
          const variable = this.#variable(trained);
          return variable === undefined ? [] : [{ name: `${this.name}/${suffix}/${trained}`, like: variable }];
        }),
      ),
    ];
  }

  /** Puts facts and tensors back; all of them have been checked against `expected`. Creates the slots. */
  restore(facts: OptimizerFacts, tensors: ReadonlyMap<string, tf.Tensor>): void {
    for (const field of this.#layout.scalars) this.#scalar(field).assign(required(tensors, `${this.name}/${field}`));
    for (const { field, suffix } of this.#layout.slots) {
      for (const slot of this.#slots(field)) slot.variable.dispose();
      this.#internals[field] = facts.trained.map((trained): Slot => {
        const tensor = required(tensors, `${this.name}/${suffix}/${trained}`);
        return { originalName: `${this.#variable(trained)?.name}/${suffix}`, variable: tf.variable(tensor, false) };
      });
    }
    this.#internals.iterations_ = facts.iterations;
    this.learningRate = facts.learningRate;
  }

  /** The trained variables in slot order, recognised by the names that tfjs has given to the slots. */
  #trained(): NamedVariable[] {
    const first = this.#layout.slots[0];
    if (first === undefined) return [];
    return this.#slots(first.field).map((slot) => {
      const variableName = slot.originalName.slice(0, -(first.suffix.length + 1));
      const trained = this.#weights.find(({ variable }) => variable.name === variableName);
      if (trained !== undefined) return trained;
      throw new NkatError(`${this.name} trains the variable "${variableName}", which is not part of the state`, {
        code: 'state-not-serializable',
        operation: 'describe the training state',
        hint: 'Give every trained variable to tfjsState({ model }).',
      });
    });
  }

  #variable(name: string): tf.Variable | undefined {
    return this.#weights.find((weight) => weight.name === name)?.variable;
  }

  #slots(field: string): readonly Slot[] {
    return this.#internals[field] as Slot[];
  }

  #scalar(field: string): tf.Variable {
    return this.#internals[field] as tf.Variable;
  }
}

function required(tensors: ReadonlyMap<string, tf.Tensor>, name: string): tf.Tensor {
  const tensor = tensors.get(name);
  if (tensor === undefined)
    throw new NkatError(`${name} was not checked before`, { code: 'internal', operation: 'restore the optimizer' });
  return tensor;
}
