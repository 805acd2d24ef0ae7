/** Why a TensorFlow that is made for NVIDIA's cards sees none, as far as this process can tell. */
import { readFileSync } from 'node:fs';
import { errnoOf } from '../../errors.ts';

/** What the driver brings. TensorFlow has tried to load it by then. */
const DRIVER = 'libcuda.so';
/** What `backend install --cuda12` brings; loaded when the driver is there. */
const RUNTIME = 'libcudart.so';

/**
 * @param loaded paths of the libraries of this process, in whatever text
 * @returns null: driver and libraries are there; what TensorFlow says in its log tells more
 */
export function whyNoGpu(environment: NodeJS.ProcessEnv, loaded: string): string | null {
  const visible = environment.CUDA_VISIBLE_DEVICES;
  if (visible !== undefined && /^\s*(?:-1.*)?$/.test(visible)) return 'CUDA_VISIBLE_DEVICES hides every card';
  if (!loaded.includes(DRIVER)) return `there is no NVIDIA driver here (no ${DRIVER}.1)`;
  return loaded.includes(RUNTIME) ? null : `the libraries of CUDA did not load (no ${RUNTIME}.12)`;
}

export function loadedLibraries(): string {
  try {
    return readFileSync('/proc/self/maps', 'utf8');
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return `${DRIVER} ${RUNTIME}`;
  }
}
