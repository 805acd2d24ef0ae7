/**
 * The proof that recovery is exact: from a checkpoint the real trainer trains again to a later one that grew out of it, and
 * the two are compared bit by bit.
 */
import { isDeepStrictEqual } from 'node:util';
import type { StoreFiles } from '../checkpoint/files.ts';
import type { Manifest } from '../checkpoint/types.ts';
import { isDeterministic } from './backends.ts';
import { type Comparison, compareCheckpoints } from './compare.ts';
import { rehearse } from './rehearsal.ts';
import { pointOf, type RehearsalRequest } from './rehearsal-request.ts';
import type { Replay } from './types.ts';

export interface PlacedManifest {
  readonly path: string;
  readonly manifest: Manifest;
}

export interface ReplayPair {
  readonly from: PlacedManifest;
  readonly to: PlacedManifest;
}

const NO_PAIR = 'no two of its checkpoints grew out of one another with the same trainer, source and arguments';

/** The newest pair of which one is the parent of the other, by the same trainer, source and arguments; null: none is. */
export function replayPair(verified: readonly PlacedManifest[], setAside: ReadonlySet<number>): ReplayPair | null {
  const live = verified.filter(({ manifest }) => !setAside.has(manifest.sequence));
  const newestFirst = [...live].sort((a, b) => b.manifest.sequence - a.manifest.sequence);
  for (const to of newestFirst) {
    const from = live.find(({ manifest }) => isParent(manifest, to.manifest));
    if (from !== undefined) return { from, to };
  }
  return null;
}

function isParent(parent: Manifest, child: Manifest): boolean {
  return (
    child.parent === parent.sequence &&
    child.trainer !== null &&
    isDeepStrictEqual(parent.trainer, child.trainer) &&
    (child.step > parent.step || (child.step === parent.step && child.epoch > parent.epoch))
  );
}

export function skippedReplay(reason = NO_PAIR): Replay {
  return {
    outcome: 'skipped',
    reason,
    from: null,
    to: null,
    steps: null,
    deterministic: null,
    tensors: [],
    state: [],
    rehearsal: null,
  };
}

/** @param request but for what the pair itself says */
export async function replayBetween(
  files: StoreFiles,
  { from, to }: ReplayPair,
  request: Omit<RehearsalRequest, 'resume' | 'until'>,
): Promise<Replay> {
  const { sequence, step } = from.manifest;
  const { rehearsal, saved } = await rehearse(files, {
    ...request,
    resume: pointOf(from),
    until: { step: to.manifest.step, epoch: to.manifest.epoch, save: true, fullDisk: false },
  });
  const known = {
    from: sequence,
    to: to.manifest.sequence,
    steps: to.manifest.step - step,
    // What differs from one backend to another says nothing of either.
    deterministic: rehearsal.backend === to.manifest.backend ? isDeterministic(rehearsal.backend) : false,
    rehearsal,
  };
  const unproved = (reason: string): Replay => ({ ...known, outcome: 'unproved', reason, tensors: [], state: [] });
  if (rehearsal.outcome !== 'done') return unproved(rehearsal.reason ?? 'the trainer did not come so far');
  if (saved === null) return unproved('the trainer saved nothing at the end');
  if (rehearsal.reachedStep !== to.manifest.step) {
    const where = `it ended at step ${rehearsal.reachedStep} instead of ${to.manifest.step}`;
    return unproved(`training took another course: ${where}`);
  }
  request.cleanup.goOn();
  const comparison = await compareCheckpoints(files, request.session, [to.path, saved.path]);
  const isExact = comparison.tensors.length === 0 && comparison.state.length === 0;
  return { ...known, ...comparison, outcome: isExact ? 'exact' : 'differs', reason: isExact ? null : why(comparison) };
}

/** True where nothing that a later step depends on differs: a metric that is a time is another one each time. */
export function differsInHistoryOnly({ tensors, state }: Comparison): boolean {
  return state.length === 0 && tensors.every(({ isHistory }) => isHistory);
}

function why(comparison: Comparison): string {
  const { tensors, state } = comparison;
  if (differsInHistoryOnly(comparison)) {
    return `what is trained is equal bit by bit, the history of ${tensors.map(({ name }) => name).join(', ')} is not`;
  }
  const parts = [
    ...(tensors.length === 0 ? [] : [`${tensors.length} of the tensors`]),
    ...(state.length === 0 ? [] : [`state.json at ${state.slice(0, 3).join(', ')}`]),
  ];
  return `${parts.join(' and ')} came out otherwise`;
}
