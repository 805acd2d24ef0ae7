/** Picks the fastest tfjs backend that loads on this machine, and says which one it is and why the others are not. */
import * as tf from '@tensorflow/tfjs-core';
import { errnoOf, NkatError } from '../../errors.ts';

/** Best first. */
export const BACKENDS = ['node-gpu', 'node', 'wasm', 'cpu'] as const;
export type BackendName = (typeof BACKENDS)[number];

export interface BackendOptions {
  /** True: a GPU or nothing, never something slower. `run.requireGpu` is what the operator asked for. Default false. */
  readonly requireGpu?: boolean | undefined;
  /** Only this one, for comparisons and tests. */
  readonly only?: BackendName | undefined;
}

export interface BackendChoice {
  /** As in manifests and on the screen: `tfjs-wasm`. */
  readonly name: string;
  readonly device: 'gpu' | 'cpu';
  /** Better ones that did not load, and why. */
  readonly passedOver: readonly { readonly name: BackendName; readonly reason: string }[];
}

/**
 * Loads a backend and makes it tfjs's current one; call it before the first tensor.
 *
 * @throws NkatError 'backend-missing' when none of the admitted backends loads; with `requireGpu` that is so
 * whenever TensorFlow runs on no GPU.
 */
export async function useBackend(options: BackendOptions = {}): Promise<BackendChoice> {
  const admitted = options.only === undefined ? BACKENDS : [options.only];
  const passedOver: { name: BackendName; reason: string }[] = [];
  for (const name of admitted) {
    const reason = await load(name, options.requireGpu === true);
    if (reason === null) return { name: backendInUse(), device: usesGpu() ? 'gpu' : 'cpu', passedOver };
    passedOver.push({ name, reason });
  }
  const reasons = passedOver.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  const wanted = options.requireGpu === true ? 'a GPU is required, and no GPU backend' : 'no tfjs backend';
  throw new NkatError(`${wanted} could be loaded (${reasons})`, {
    code: 'backend-missing',
    operation: 'choose a tfjs backend',
    hint:
      options.requireGpu === true
        ? 'Install a working @tensorflow/tfjs-node-gpu, or run without --require-gpu.'
        : 'Install @tensorflow/tfjs-backend-wasm beside the trainer.',
  });
}

/** The current backend: `tfjs-wasm`, `tfjs-cpu`, `tfjs-node`, `tfjs-node-gpu`; another's own name after `tfjs-`. */
export function backendInUse(): string {
  const name = tf.getBackend();
  if (name === 'tensorflow') return usesGpu() ? 'tfjs-node-gpu' : 'tfjs-node';
  return `tfjs-${name}`;
}

/** Null when it is in use now, else why not. */
async function load(name: BackendName, gpuRequired: boolean): Promise<string | null> {
  if (gpuRequired && name !== 'node-gpu') return 'it does not run on a GPU';
  const packageName =
    name === 'wasm' || name === 'cpu' ? `@tensorflow/tfjs-backend-${name}` : `@tensorflow/tfjs-${name}`;
  const engineName = name === 'wasm' || name === 'cpu' ? name : 'tensorflow';
  try {
    if (name === 'wasm') await prepareWasm();
    else await import(packageName);
    if (tf.findBackendFactory(engineName) === null) return `${packageName} brings a tfjs-core of its own`;
    const started = await withoutNewProcessListeners(() => tf.setBackend(engineName));
    if (!started) return 'it did not start';
  } catch (error) {
    return notInstalled(error, packageName) ? 'not installed' : `it did not load: ${messageOf(error)}`;
  }
  if (name === 'node-gpu' && !usesGpu()) return 'TensorFlow sees no GPU';
  return null;
}

/** The package finds its own .wasm files, which lie beside its code; a trainer's setWasmPaths stays in force. */
async function prepareWasm(): Promise<void> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  // More threads would sum in an order that differs from run to run.
  wasm.setThreadsCount(1);
}

/**
 * The wasm module's start-up code listens for uncaught exceptions and throws them again, from a line of 100 kB that
 * Node then prints above every error of the trainer.
 */
async function withoutNewProcessListeners<T>(start: () => Promise<T>): Promise<T> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = new Set(events.flatMap((event) => process.rawListeners(event)));
  try {
    return await start();
  } finally {
    for (const event of events) {
      for (const listener of process.rawListeners(event)) {
        if (!before.has(listener)) process.removeListener(event, listener as () => void);
      }
    }
  }
}

/** tfjs-node tells whether its TensorFlow has found a GPU. */
function usesGpu(): boolean {
  const backend: object = tf.backend();
  return 'isUsingGpuDevice' in backend && backend.isUsingGpuDevice === true;
}

function notInstalled(error: unknown, packageName: string): boolean {
  const code = errnoOf(error);
  return (
    (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && messageOf(error).includes(`'${packageName}'`)
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
