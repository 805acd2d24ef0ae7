/**
 * What a saved state looks like in its framework's own loadable form: which tensors go into which file, and what stands
 * beside them. Pure: states describe themselves in their JSON, so that the thread which writes needs no framework.
 */
import { HISTORY_PREFIX } from './history.ts';
import type { StateValue } from './state.ts';
import { averagesOf, type TfjsFacts, tfjsFacts } from './tfjs/saved-facts.ts';

interface NamedTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** One model: a folder of its own inside the export unless `folder` is empty. */
export interface ModelPlan {
  readonly folder: string;
  /** `layers`: `model.json` with the weights beside it. `safetensors`: one file that any of its libraries reads. */
  readonly form: 'layers' | 'safetensors';
  /** Name in the export of each tensor of the checkpoint that belongs to it. */
  readonly tensors: ReadonlyMap<string, string>;
  /** Of `layers` only: the model's topology as tfjs writes it. */
  readonly topology: unknown;
  /** `average`: the averaged weights, which evaluation looks at, in the place of those in training. */
  readonly weights: 'trained' | 'average';
}

/** Every model that the state describes, or all its tensors where it describes none. */
export function exportPlans(state: StateValue, tensors: readonly NamedTensor[]): ModelPlan[] {
  const facts = tfjsFacts(state);
  const there = new Set(tensors.map(({ name }) => name));
  const plans = facts === null ? [] : layersPlans(facts, there);
  if (plans.length > 0) return plans;
  const own = tensors.filter(({ name }) => !name.startsWith(HISTORY_PREFIX));
  const names = new Map(own.map(({ name }) => [name, name]));
  return [{ folder: '', form: 'safetensors', tensors: names, topology: null, weights: 'trained' }];
}

function layersPlans(facts: TfjsFacts, there: ReadonlySet<string>): ModelPlan[] {
  const averages = Object.entries(averagesOf(facts));
  const [average = null] = averages.find(([, { updates }]) => updates > 0) ?? [];
  return Object.entries(facts.layers).flatMap(([model, weights]): ModelPlan[] => {
    const topology = facts.topology[model];
    const source = (name: string): string => (average === null ? name : `${average}/${name}`);
    if (topology === undefined || !weights.every(({ tensor }) => there.has(source(tensor)))) return [];
    return [
      {
        folder: model === 'model' ? '' : model.replace(/^model\//, '').replaceAll(/[^\w.-]/g, '_'),
        form: 'layers',
        tensors: new Map(weights.map(({ tensor, name }) => [source(tensor), name])),
        topology: JSON.parse(topology),
        weights: average === null ? 'trained' : 'average',
      },
    ];
  });
}
