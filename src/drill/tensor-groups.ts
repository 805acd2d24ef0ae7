/** Which tensors of a checkpoint are model, optimizer, average and history, as far as their names and `state.json` tell. */
import type { Manifest, ManifestTensor } from '../checkpoint/types.ts';
import type { StateFacts } from './state-facts.ts';

/** Prefix of the SDK's metric history. */
const HISTORY = 'history/';
/** Prefixes that `tfjsState` gives. */
const TFJS_OPTIMIZER = /^optimizer(?:\/|$)/;
const TFJS_AVERAGE = 'average/';
/** Words that frameworks give to the memory of an optimizer; the only sign in a state of the trainer's own. */
const OPTIMIZER_WORDS =
  /(?:^|[/._-])(?:optim(?:izer)?|momentum|velocity|adam\w*|moments?\d?|exp_avg(?:_sq)?|accum\w*|rms\w*)(?:[/._-]|$)/i;

export interface TensorGroups {
  readonly model: readonly ManifestTensor[];
  readonly optimizer: readonly ManifestTensor[];
  readonly average: readonly ManifestTensor[];
}

export function tensorGroups({ tensors }: Pick<Manifest, 'tensors'>, facts: StateFacts): TensorGroups {
  const own = tensors.filter(({ name }) => !isHistory(name));
  const isTfjs = facts.optimizers !== null;
  const optimizer = own.filter(({ name }) => (isTfjs ? TFJS_OPTIMIZER : OPTIMIZER_WORDS).test(name));
  const average = isTfjs ? own.filter(({ name }) => name.startsWith(TFJS_AVERAGE)) : [];
  const model = own.filter((tensor) => !optimizer.includes(tensor) && !average.includes(tensor));
  return { model, optimizer, average };
}

export function isHistory(name: string): boolean {
  return name.startsWith(HISTORY);
}
