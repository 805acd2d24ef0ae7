/** What interrupted work left in a session's directory: half commits, temporary files, trash. */
import { join } from 'node:path';

import type { StoreFiles } from './files.ts';
import { OWNERS, STAGING, type StoreLayout, TRASH } from './layout.ts';
import { cleanTemporaries, namesIfAny } from './small-file.ts';
import { cleanStaging } from './staging.ts';
import { guarded } from './store-error.ts';
import { emptyTrash } from './trash.ts';

export interface Remains {
  /** Commits that were never finished. */
  readonly staged: number;
  readonly trashed: number;
  readonly temporaries: number;
}

/** Changes nothing. @throws NkatError `io` */
export function findRemains(files: StoreFiles, { directory }: StoreLayout): Promise<Remains> {
  return guarded('look for what was left', directory, async () => {
    const names = await namesIfAny(files, directory);
    const inside = async (name: string): Promise<number> =>
      names.includes(name) ? (await namesIfAny(files, join(directory, name))).length : 0;
    const temporaries = names.filter((name) => name.endsWith('.tmp')).length;
    return { staged: await inside(STAGING), trashed: await inside(TRASH), temporaries };
  });
}

/** Removes what belongs to dead processes. For the session's owner. @throws NkatError `io` */
export function removeRemains(files: StoreFiles, { directory }: StoreLayout): Promise<void> {
  return guarded('remove what was left', directory, async () => {
    await cleanStaging(files, directory);
    await cleanTemporaries(files, directory);
    await cleanTemporaries(files, join(directory, OWNERS));
    await emptyTrash(files, directory);
  });
}
