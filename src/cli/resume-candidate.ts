import type { StoreFiles } from '../checkpoint/files.ts';
import { listCheckpoints } from '../checkpoint/list.ts';
import type { Manifest } from '../checkpoint/types.ts';
import type { LocatedSession } from './located-session.ts';

/**
 * What a session would most likely go on from: the newest checkpoint that can be read and was not set aside. For
 * words only; whether it verifies is found out when it is chosen.
 */
export async function newestUsable(files: StoreFiles, { layout, file }: LocatedSession): Promise<Manifest | null> {
  const setAside = new Set(file?.setAside.map(({ sequence }) => sequence));
  const entries = await listCheckpoints(files, layout);
  return entries.find(({ manifest, sequence }) => manifest !== null && !setAside.has(sequence))?.manifest ?? null;
}
