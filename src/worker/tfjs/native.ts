/** Loads the native backend that `nkat-recover backend install` has built. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { cutFile, type InstalledBackend } from '../../installed-backend.ts';

/** What its packages take in the place of tfjs of their own (src/backend/facades.ts has the same words). */
const HANDED = Symbol.for('nkat-recover.native-backend');
/** tfjs-node 4.22 calls it; gone since Node 23. */
const isNullOrUndefined = (value: unknown): boolean => value === null || value === undefined;

/** What tfjs-node's binding tells. */
interface NativeBinding {
  readonly TF_Version?: string;
}

/**
 * Registers and starts the engine `tensorflow` in the tfjs-core of the trainer: there must be one tfjs in a process.
 *
 * @returns null, or why it cannot be used here
 * @throws what its libraries and its binding throw when they do not load
 */
export async function loadNative(installed: InstalledBackend): Promise<string | null> {
  const { folder, record } = installed;
  if (tf.version_core !== record.tfjs) {
    return `it is made for tfjs-core ${record.tfjs}, and the trainer has ${tf.version_core}`;
  }
  const cut = cutFile(installed);
  if (cut !== null) return `${cut} in ${folder} is not whole`;
  const layers = await import('@tensorflow/tfjs-layers');
  const require = createRequire(import.meta.url);
  mendUtil(require('node:util') as Record<string, unknown>);
  // Otherwise TensorFlow takes all of a card's memory at its start, from other programs too.
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  const { version_core: core } = tf;
  const tfjs = { ...layers, ...tf, version: { 'tfjs-core': core, 'tfjs-layers': layers.version_layers, tfjs: core } };
  const holder = globalThis as { [HANDED]?: object };
  holder[HANDED] = { tfjs, binding: join(folder, record.binding) };
  require(join(folder, record.entry));
  return tf.findBackendFactory('tensorflow') === null ? 'it brings a tfjs-core of its own' : null;
}

/** The version of the TensorFlow that the engine in use is made of; null: it is no native one, or does not tell. */
export function tensorflowVersion(): string | null {
  const backend: object = tf.getBackend() === 'tensorflow' ? tf.backend() : {};
  return 'binding' in backend ? ((backend.binding as NativeBinding).TF_Version ?? null) : null;
}

/** @param util Node's module, which is the same object for everybody in the process */
export function mendUtil(util: Record<string, unknown>): void {
  util.isNullOrUndefined ??= isNullOrUndefined;
  // Called too, and from Node 22 on it warns of itself in the output of the trainer.
  util.isArray = Array.isArray;
}
