/** Naming of a model's variables by their place in its structure, independent of tfjs's global layer-name counters. */
import type { Variable } from '@tensorflow/tfjs-core';
import type { LayersModel, layers } from '@tensorflow/tfjs-layers';

/** What a trainer trains: a layers model, a variable, or arrays and records of these. */
export type Weights = LayersModel | Variable | readonly Weights[] | { readonly [name: string]: Weights };

export interface NamedVariable {
  /** For example `model/0_Dense/kernel`. */
  readonly name: string;
  readonly variable: Variable;
}

type Layer = layers.Layer;

/** Every variable once, in structural order. */
export function namedVariables(weights: Weights, prefix = 'model'): NamedVariable[] {
  const found = new Map<Variable, string>();
  const add = (name: string, variable: Variable): void => {
    if (!found.has(variable)) found.set(variable, name);
  };
  visit(weights, prefix, add);
  return [...found].map(([variable, name]) => ({ name, variable }));
}

/** The layers models inside, by the same names. */
export function namedModels(weights: Weights, prefix = 'model'): { name: string; model: LayersModel }[] {
  if (isVariable(weights)) return [];
  if (isModel(weights)) return [{ name: prefix, model: weights }];
  return Object.entries(weights).flatMap(([key, value]) => namedModels(value, `${prefix}/${key}`));
}

/** For each model inside, its weights by the names that tfjs saves and loads them under. */
export function exportedWeights(
  weights: Weights,
  named: readonly NamedVariable[],
): Record<string, readonly { readonly tensor: string; readonly name: string }[]> {
  const names = new Map(named.map(({ name, variable }) => [variable, name]));
  const models = namedModels(weights).map(({ name, model }) => {
    const own = model.weights.map((weight) => ({
      tensor: names.get(weight.read() as Variable) ?? '',
      name: weight.originalName,
    }));
    return [name, own] as const;
  });
  return Object.fromEntries(models);
}

function visit(weights: Weights, name: string, add: (name: string, variable: Variable) => void): void {
  if (isVariable(weights)) add(name, weights);
  else if (isModel(weights)) visitModel(weights, name, add);
  else for (const [key, value] of Object.entries(weights)) visit(value, `${name}/${key}`, add);
}

function visitModel(model: LayersModel, name: string, add: (name: string, variable: Variable) => void): void {
  for (const [index, layer] of model.layers.entries()) {
    const layerName = `${name}/${index}_${layer.getClassName()}`;
    if (isModel(layer)) visitModel(layer, layerName, add);
    else visitLayer(layer, layerName, add);
  }
  // Weights that a custom model holds outside its layers.
  for (const [index, weight] of model.weights.entries()) add(`${name}/weight_${index}`, weight.read() as Variable);
}

function visitLayer(layer: Layer, name: string, add: (name: string, variable: Variable) => void): void {
  const seen = new Map<string, number>();
  for (const weight of layer.weights) {
    const base = weight.originalName.split('/').at(-1) ?? 'weight';
    const count = seen.get(base) ?? 0;
    seen.set(base, count + 1);
    // A wrapper (Bidirectional...) holds several weights of one name; their order is structural.
    add(`${name}/${base}${count === 0 ? '' : `_${count}`}`, weight.read() as Variable);
  }
}

function isVariable(weights: Weights): weights is Variable {
  return 'assign' in weights && typeof weights.assign === 'function';
}

/** By shape, not by instanceof: the SDK loads no tfjs-layers of its own. */
function isModel(value: Weights | Layer): value is LayersModel {
  return 'layers' in value && Array.isArray(value.layers) && 'getClassName' in value && 'weights' in value;
}
