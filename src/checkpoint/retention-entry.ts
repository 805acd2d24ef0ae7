import { totalBytes } from './manifest.ts';
import type { RetentionEntry } from './retention.ts';
import type { CheckpointEntry } from './types.ts';

/** What retention needs to know of a checkpoint. */
export function retentionEntry({ path, sequence, manifest, verified }: CheckpointEntry): RetentionEntry {
  // Deltas come later; a manifest that names a base already keeps it.
  const base: unknown = manifest === null ? null : Reflect.get(manifest, 'base');
  return {
    path,
    sequence,
    claim: manifest?.claim ?? 0,
    kinds: manifest?.kinds ?? [],
    verified,
    readable: manifest !== null,
    bytes: manifest === null ? 0 : totalBytes(manifest),
    base: typeof base === 'number' ? base : null,
  };
}
