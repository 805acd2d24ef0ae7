/** Picks the fastest tfjs backend that loads on this machine, and says which one it is and why the others are not. */
import * as tf from '@tensorflow/tfjs-core';
import { errnoOf, NkatError } from '../../errors.ts';
import type { Flavour } from '../../installed-backend.ts';
import { loadInstalled, usesGpu, whyOnCpu } from './load-installed.ts';
import { tensorflowVersion } from './native.ts';

/** Best first. */
export const BACKENDS = ['native', 'node-gpu', 'node', 'wasm', 'cpu'] as const;
export type BackendName = (typeof BACKENDS)[number];

export interface BackendOptions {
  /** True: a GPU or nothing, never something slower. `run.requireGpu` is what the operator asked for. Default false. */
  readonly requireGpu?: boolean | undefined;
  /**
   * True: TensorFlow's own library or nothing. For models that wasm cannot train (it has no gradient of a convolution's
   * kernel) and that would take weeks on cpu. Default false.
   */
  readonly requireNative?: boolean | undefined;
  /** Only this one, for comparisons and tests. */
  readonly only?: BackendName | undefined;
}

export interface BackendChoice {
  /** As in manifests and on the screen: `tfjs-wasm`. */
  readonly name: string;
  readonly device: 'gpu' | 'cpu';
  /** Of the TensorFlow below; null: it is none, or does not tell. */
  readonly tensorflow: string | null;
  /** Of one that was made for a GPU and runs on the CPU: the reason; null: it is none. */
  readonly whyNoGpu: string | null;
  /** Better ones that did not load, and why. */
  readonly passedOver: readonly { readonly name: BackendName; readonly reason: string }[];
}

/**
 * Loads a backend and makes it tfjs's current one; call it before the first tensor.
 *
 * @throws NkatError 'backend-missing' when none of the admitted backends loads; with `requireGpu` that is so
 * whenever TensorFlow runs on no GPU, with `requireNative` where TensorFlow's own library is not installed.
 */
export async function useBackend(options: BackendOptions = {}): Promise<BackendChoice> {
  const admitted = options.only === undefined ? BACKENDS : [options.only];
  const needed = need(options);
  const passedOver: { name: BackendName; reason: string }[] = [];
  for (const name of admitted) {
    const { reasons, taken } = await load(name, needed);
    passedOver.push(...reasons.map((reason) => ({ name, reason })));
    if (taken !== null) return told({ ...inUse(taken), passedOver }, taken);
  }
  const reasons = passedOver
    .filter(({ reason }) => reason !== NO_GPU_BACKEND || options.only !== undefined)
    .map(({ name, reason }) => `${name}: ${reason}`)
    .join('; ');
  const refusal = new NkatError(`${REFUSALS[needed].wanted} could be loaded (${reasons})`, {
    code: 'backend-missing',
    operation: 'choose a tfjs backend',
    hint: REFUSALS[needed].hint,
  });
  if (needed !== 'any') endWith(refusal);
  throw refusal;
}

const NOT_INSTALLED = 'not installed';
const NO_GPU_BACKEND = 'it does not run on a GPU';

type Need = 'any' | 'native' | 'gpu';

const REFUSALS: Readonly<Record<Need, { readonly wanted: string; readonly hint: string }>> = {
  any: { wanted: 'no tfjs backend', hint: 'Install @tensorflow/tfjs-backend-wasm beside the trainer.' },
  native: {
    wanted: "TensorFlow's own library is required, and no native backend",
    hint: 'nkat-recover backend install builds one.',
  },
  gpu: {
    wanted: 'a GPU is required, and no GPU backend',
    hint: 'nkat-recover backend install --cuda12 builds one, nkat-recover backend check says what it sees; or run without --require-gpu.',
  },
};

function need({ requireGpu, requireNative }: BackendOptions): Need {
  if (requireGpu === true) return 'gpu';
  return requireNative === true ? 'native' : 'any';
}

/** sysexits EX_CONFIG: no restart finds a GPU that is not there. */
const EXIT_CONFIGURATION = 78;

/** If nobody catches the refusal the process ends with 78 and its words: a stack tells an operator nothing. */
function endWith(refusal: NkatError): void {
  process.on('uncaughtExceptionMonitor', (error) => {
    if (error !== refusal || process.listenerCount('uncaughtException') > 0) return;
    process.stderr.write(`Backend: ${refusal.message}.\n${refusal.hint}\n`);
    process.exit(EXIT_CONFIGURATION);
  });
}

/** The current backend: `tfjs-wasm`, `tfjs-cpu`, `tfjs-node`, `tfjs-node-gpu`; another's own name after `tfjs-`. */
export function backendInUse(): string {
  const name = tf.getBackend();
  if (name === 'tensorflow') return usesGpu() ? 'tfjs-node-gpu' : 'tfjs-node';
  return `tfjs-${name}`;
}

interface LoadOutcome {
  /** Null: it is not in use. A flavour: an installed one is; `package`: one that the trainer has. */
  readonly taken: Flavour | 'package' | null;
  readonly reasons: readonly string[];
}

async function load(name: BackendName, needed: Need): Promise<LoadOutcome> {
  if (name === 'native') {
    const outcome = await loadInstalled(needed === 'gpu');
    const isNone = outcome.taken === null && outcome.reasons.length === 0;
    return isNone ? { taken: null, reasons: [NOT_INSTALLED] } : outcome;
  }
  const reason = await loadPackage(name, needed);
  return reason === null ? { taken: 'package', reasons: [] } : { taken: null, reasons: [reason] };
}

/** Null when it is in use now, else why not. */
async function loadPackage(name: Exclude<BackendName, 'native'>, needed: Need): Promise<string | null> {
  const gpuRequired = needed === 'gpu';
  if (needed === 'native' && (name === 'wasm' || name === 'cpu')) return "it is not TensorFlow's own library";
  if (gpuRequired && name !== 'node-gpu') return NO_GPU_BACKEND;
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
    return notInstalled(error, packageName) ? NOT_INSTALLED : `it did not load: ${messageOf(error)}`;
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

function inUse(taken: Flavour | 'package'): Omit<BackendChoice, 'passedOver'> {
  const device = usesGpu() ? 'gpu' : 'cpu';
  const missesGpu = taken === 'cuda12' && device === 'cpu';
  const tensorflow = tensorflowVersion();
  return { name: backendInUse(), device, tensorflow, whyNoGpu: missesGpu ? whyOnCpu() : null };
}

/** On stderr, where it stands in the session's log: what trains, and what it was to be and is not. */
function told(choice: BackendChoice, taken: Flavour | 'package'): BackendChoice {
  const { name, device, tensorflow, passedOver, whyNoGpu } = choice;
  const place = device === 'gpu' ? 'the GPU' : 'the CPU';
  if (tensorflow !== null) {
    process.stderr.write(`Backend: TensorFlow ${tensorflow} on ${place} (${name}, tfjs ${tf.version_core})\n`);
  }
  const broken = passedOver.filter((each) => each.name === 'native' && each.reason !== NOT_INSTALLED);
  if (broken.length > 0) {
    const reasons = broken.map(({ reason }) => reason).join('; ');
    const why =
      taken === 'package'
        ? `the installed native backend was not taken: ${reasons}`
        : `the installed one for ${taken} took the place of a better one: ${reasons}`;
    process.stderr.write(`Backend: ${name} on ${place}, for ${why}. nkat-recover backend check says more.\n`);
  } else if (whyNoGpu !== null) {
    process.stderr.write(
      `Backend: it is made for a GPU and sees none: ${whyNoGpu}. nkat-recover backend check says more.\n`,
    );
  }
  return choice;
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
