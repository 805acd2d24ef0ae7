import { totalBytes } from './manifest.ts';
import type { RetentionEntry } from './retention.ts';
import type { CheckpointEntry } from './types.ts';

/** What retention needs to know of a checkpoint. @param setAside sequences that the next launch passes over */
export function retentionEntry(
  { path, sequence, manifest, verified }: CheckpointEntry,
  setAside: ReadonlySet<number>,
): RetentionEntry {
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
    setAside: setAside.has(sequence),
  };
}
