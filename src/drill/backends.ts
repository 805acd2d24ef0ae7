/** What is known of the backends that checkpoints name: the device that they run on, and whether they repeat themselves. */
import type { Manifest } from '../checkpoint/types.ts';

const GPU = /gpu|webgl|webgpu|cuda|rocm|metal|mps/i;
/** One thread, one order of additions. Source: the SDK's tests of resumed runs hold it for each of them. */
const REPEATING: ReadonlySet<string> = new Set(['arrays', 'plain', 'tfjs-cpu', 'tfjs-wasm']);

export type Device = 'gpu' | 'cpu';

export function deviceOf(backend: string | null): Device {
  return backend !== null && GPU.test(backend) ? 'gpu' : 'cpu';
}

/** `true`: the same steps give the same bits. `false`: they do not, as everybody knows. Null: nobody promises either. */
export function isDeterministic(backend: string | null): boolean | null {
  if (backend === null) return null;
  if (GPU.test(backend)) return false;
  return REPEATING.has(backend) ? true : null;
}

/** What this machine has for each kind of device. */
export interface OwnDevices {
  /** Names of its cards; null: none answers. */
  readonly gpu: string | null;
  /** Its processor. */
  readonly cpu: string | null;
}

/** Null where a checkpoint goes on on the kind of device that it was made on. The backend decides: a card that is there need not be used. */
export function deviceWarning(
  made: Pick<Manifest, 'backend' | 'gpu'>,
  here: string | null,
  own: OwnDevices,
): string | null {
  const before = made.backend === null && made.gpu !== null ? 'gpu' : deviceOf(made.backend);
  const now = deviceOf(here);
  if (before === now) return null;
  const then = before === 'gpu' ? `on ${made.gpu ?? 'a GPU'}` : 'on the CPU';
  const words = now === 'gpu' ? `on ${own.gpu ?? 'a GPU'}` : `on the CPU${own.cpu === null ? '' : `, ${own.cpu}`}`;
  return `it was made ${then} (${made.backend ?? 'unknown'}) and loaded ${words} (${here ?? 'unknown'})`;
}
