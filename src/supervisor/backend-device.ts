/** Where a backend computes, by the name that the SDK gives it. */

/** Backends of tfjs that compute on the CPU. */
const ON_CPU: ReadonlySet<string> = new Set(['tfjs-cpu', 'tfjs-wasm', 'tfjs-node']);
const ON_GPU: ReadonlySet<string> = new Set(['tfjs-node-gpu']);

/** Null: of this one nothing is known. */
export function deviceOf(backend: string | null): 'cpu' | 'gpu' | null {
  if (backend === null) return null;
  if (ON_CPU.has(backend)) return 'cpu';
  return ON_GPU.has(backend) ? 'gpu' : null;
}
