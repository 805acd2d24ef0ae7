/** Where a new session will lie. */
import { randomBytes } from 'node:crypto';
import type { StoreFiles } from '../checkpoint/files.ts';
import { type StoreLayout, storeLayout } from '../checkpoint/layout.ts';
import { newSessionId } from '../checkpoint/session-id.ts';
import { errnoOf } from '../errors.ts';

export function freshId(): string {
  return newSessionId(new Date(), () => randomBytes(4).readUInt32LE() / 2 ** 32);
}

/**
 * Under an id that nothing bears yet: with a clock that was set back the same second comes again.
 *
 * @param idOf gives another id at each call
 * @throws the system's error where that cannot be seen
 */
export async function freshLayout(
  files: StoreFiles,
  { root, backups }: { readonly root: string; readonly backups: string },
  idOf: () => string,
): Promise<StoreLayout> {
  for (;;) {
    const layout = storeLayout(root, backups, idOf());
    try {
      await files.facts(layout.directory);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return layout;
      throw error;
    }
  }
}
