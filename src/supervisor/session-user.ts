/** Who lives in a session: its owner, or a worker that trains on after its supervisor's death. */
import { isReleased, readOwner } from '../checkpoint/claim.ts';
import type { StoreFiles } from '../checkpoint/files.ts';
import { currentOwner, isAlive, relationOf } from '../checkpoint/process-identity.ts';
import { readSessionFile } from '../checkpoint/session-file.ts';

export interface SessionUse {
  /** In words; null: nobody does. */
  readonly holder: string | null;
  /** What the last launch resumed from. */
  readonly resumedFrom: number | null;
}

/** A claim from another machine counts as alive: nothing can be said of it from here. @throws NkatError `io` */
export async function sessionUser(files: StoreFiles, directory: string): Promise<SessionUse> {
  const file = await readSessionFile(files, directory);
  const worker = file?.worker ?? null;
  const resumedFrom = worker?.resumedFrom ?? null;
  if (worker !== null && isAlive(worker.group)) {
    return { holder: `its worker, pid ${worker.group.pid}, is training`, resumedFrom };
  }
  const owner = await readOwner(files, directory);
  if (owner === null || (await isReleased(files, directory, owner.claim))) return { holder: null, resumedFrom };
  const relation = relationOf(owner, currentOwner('supervisor'));
  const mayLive = relation === 'elsewhere' || (relation === 'here' && isAlive(owner));
  return { holder: mayLive ? `pid ${owner.pid} on ${owner.host} owns it` : null, resumedFrom };
}
