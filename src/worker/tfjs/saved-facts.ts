/** The JSON half of a saved tfjs state. */
import type { StateValue } from '../state.ts';
import type { AverageFacts } from './average.ts';
import type { OptimizerFacts } from './optimizer-state.ts';

export interface ExportedWeight {
  /** Name in the checkpoint. */
  readonly tensor: string;
  readonly name: string;
}

export interface TfjsFacts {
  /** Steps made when the state was saved. */
  readonly steps: number;
  /** Model topology as tfjs writes it, by structural name: for people and exports, never needed to restore. */
  readonly topology: Readonly<Record<string, string>>;
  /** By model, the names that tfjs gives to its weights when it saves them, for exports. */
  readonly layers: Readonly<Record<string, readonly ExportedWeight[]>>;
  readonly optimizers: Readonly<Record<string, OptimizerFacts>>;
  /** What the learning rates were scaled by. */
  readonly scale: number;
  readonly schedule: StateValue;
  /** The only one, whose tensors are named `average/...`. */
  readonly average: AverageFacts | null;
  /** Several, by the prefix of their tensors' names: `average/ema`. */
  readonly averages: Readonly<Record<string, AverageFacts>>;
}

/** By the prefix of their tensors' names, in the order of the trainer. */
export function averagesOf({ average, averages }: Pick<TfjsFacts, 'average' | 'averages'>): TfjsFacts['averages'] {
  return average === null ? averages : { average, ...averages };
}

/** The facts in a checkpoint's JSON, or null when it was not written by `tfjsState`. */
export function tfjsFacts(json: StateValue): TfjsFacts | null {
  if (!isRecord(json) || typeof json.steps !== 'number' || !isRecord(json.optimizers)) return null;
  const { average, topology } = json;
  if (average !== null && !isAverageFacts(average)) return null;
  // Checkpoints of earlier releases have one at most.
  const several = isRecord(json.averages) ? Object.entries(json.averages) : [];
  const optimizers: Record<string, OptimizerFacts> = {};
  for (const [name, facts] of Object.entries(json.optimizers)) {
    if (!isOptimizerFacts(facts)) return null;
    optimizers[name] = facts;
  }
  const topologies = isRecord(topology) ? Object.entries(topology) : [];
  return {
    steps: json.steps,
    topology: Object.fromEntries(
      topologies.flatMap(([name, text]) => (typeof text === 'string' ? [[name, text]] : [])),
    ),
    layers: isRecord(json.layers) ? exportedLayers(json.layers) : {},
    optimizers,
    // Older checkpoints know of no scale.
    scale: typeof json.scale === 'number' && json.scale > 0 ? json.scale : 1,
    schedule: json.schedule,
    average,
    averages: Object.fromEntries(several.filter((entry): entry is [string, AverageFacts] => isAverageFacts(entry[1]))),
  };
}

function isOptimizerFacts(value: unknown): value is OptimizerFacts {
  return (
    isRecord(value) &&
    typeof value.className === 'string' &&
    typeof value.iterations === 'number' &&
    typeof value.learningRate === 'number' &&
    Array.isArray(value.trained) &&
    value.trained.every((name) => typeof name === 'string')
  );
}

function exportedLayers(layers: Record<string, unknown>): Record<string, readonly ExportedWeight[]> {
  return Object.fromEntries(
    Object.entries(layers).filter((entry): entry is [string, ExportedWeight[]] => {
      const [, weights] = entry;
      return Array.isArray(weights) && weights.every(isExportedWeight);
    }),
  );
}

function isExportedWeight(value: unknown): value is ExportedWeight {
  return isRecord(value) && typeof value.tensor === 'string' && typeof value.name === 'string';
}

function isAverageFacts(value: unknown): value is AverageFacts {
  return isRecord(value) && typeof value.kind === 'string' && typeof value.updates === 'number';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
