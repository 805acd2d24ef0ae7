/** What stands between a saved state and the trainer that wants it back. */
import type { Tensor } from '@tensorflow/tfjs-core';
import { NkatError } from '../../errors.ts';
import type { SavedTensor } from '../state.ts';
import { dtypeOf } from './tensor-bytes.ts';

/** A tensor that the trainer has, or will have once restored. */
export interface ExpectedTensor {
  readonly name: string;
  /** A tensor of the dtype and shape that are needed. */
  readonly like: Tensor;
}

/** Every missing, extra, wrongly typed and wrongly shaped tensor, one sentence each. */
export function mismatches(expected: readonly ExpectedTensor[], saved: ReadonlyMap<string, SavedTensor>): string[] {
  const problems: string[] = [];
  const names = new Set<string>();
  for (const { name, like } of expected) {
    names.add(name);
    const wanted = describe(dtypeOf(name, like), like.shape);
    const tensor = saved.get(name);
    if (tensor === undefined) {
      problems.push(`${name} ${wanted} is missing`);
      continue;
    }
    const found = describe(tensor.dtype, tensor.shape);
    const bytes = like.size * (like.dtype === 'bool' ? 1 : 4);
    if (found !== wanted) problems.push(`${name} is ${found} instead of ${wanted}`);
    else if (tensor.bytes.byteLength !== bytes) {
      problems.push(`${name} ${wanted} has ${tensor.bytes.byteLength} bytes instead of ${bytes}`);
    }
  }
  for (const [name, tensor] of saved) {
    if (!names.has(name)) problems.push(`${name} ${describe(tensor.dtype, tensor.shape)} is unknown here`);
  }
  return problems;
}

/** A network of another width differs in every tensor, in those of its optimizer and of its averages too. */
const MOST_NAMED = 6;

/** @throws NkatError 'state-mismatch', always. */
export function refuseState(problems: readonly string[]): never {
  const more = problems.length > MOST_NAMED ? `; and ${problems.length - MOST_NAMED} more` : '';
  throw new NkatError(`the checkpoint does not fit this trainer: ${problems.slice(0, MOST_NAMED).join('; ')}${more}`, {
    code: 'state-mismatch',
    operation: 'restore the training state',
    hint: 'Restore with the trainer that made the checkpoint and its arguments, or start a new session with --new.',
  });
}

function describe(dtype: string, shape: readonly number[]): string {
  return `${dtype}[${shape.join(', ')}]`;
}
