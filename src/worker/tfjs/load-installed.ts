/** Loads the best of the native backends that were installed here; where that one is broken, the next one. */
import * as tf from '@tensorflow/tfjs-core';
import { messageOf } from '../../errors.ts';
import {
  chosenBackends,
  FLAVOURS,
  type Flavour,
  type InstalledBackend,
  unreadableReasons,
} from '../../installed-backend.ts';
import { loadNative } from './native.ts';
import { loadedLibraries, whyNoGpu } from './no-gpu.ts';

export interface InstalledOutcome {
  /** In use now; null: none is. */
  readonly taken: Flavour | null;
  /** Of each better one, why it is not. */
  readonly reasons: readonly string[];
}

/** @param gpuRequired nothing that runs on the CPU is taken */
export async function loadInstalled(gpuRequired: boolean): Promise<InstalledOutcome> {
  const candidates = chosenBackends(process.env);
  const best = candidates[0]?.record.flavour ?? null;
  const unreadable = unreadableReasons(process.env);
  const reasons = unreadable.flatMap(({ flavour, reason }) => (wouldComeFirst(flavour, best) ? [reason] : []));
  for (const installed of candidates) {
    const { flavour } = installed.record;
    // One for the CPU is no answer where a GPU is required; alone it tells why there is none.
    if (gpuRequired && flavour !== best) break;
    const reason = (await tryToLoad(installed)) ?? (gpuRequired && !usesGpu() ? withoutGpu(flavour) : null);
    if (reason === null) return { taken: flavour, reasons };
    reasons.push(candidates.length === 1 ? reason : `${flavour}: ${reason}`);
  }
  return { taken: null, reasons };
}

/** True where TensorFlow has found a GPU. */
export function usesGpu(): boolean {
  const backend: object = tf.backend();
  return 'isUsingGpuDevice' in backend && backend.isUsingGpuDevice === true;
}

/** Of one that is made for a GPU and runs on the CPU. */
export function whyOnCpu(): string {
  return whyNoGpu(process.env, loadedLibraries()) ?? 'the NVIDIA driver offers it no card';
}

async function tryToLoad(installed: InstalledBackend): Promise<string | null> {
  // What a broken one has registered before it failed.
  if (tf.getBackend() !== 'tensorflow' && tf.findBackendFactory('tensorflow') !== null) tf.removeBackend('tensorflow');
  try {
    const refusal = await loadNative(installed);
    if (refusal !== null) return refusal;
    return (await tf.setBackend('tensorflow')) ? null : 'it did not start';
  } catch (error) {
    return `it did not load: ${messageOf(error).split('\n')[0] ?? ''}`;
  }
}

function withoutGpu(flavour: Flavour): string {
  return `its TensorFlow (${flavour}) sees no GPU${flavour === 'cuda12' ? `: ${whyOnCpu()}` : ''}`;
}

/** What cannot be read, and would come after the best anyway, is of no interest. */
function wouldComeFirst(flavour: Flavour | null, best: Flavour | null): boolean {
  return flavour === null || best === null || FLAVOURS.indexOf(flavour) < FLAVOURS.indexOf(best);
}
