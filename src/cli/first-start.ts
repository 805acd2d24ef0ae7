/**
 * One new session at a time in a state home and in a checkpoint root, from the look for an earlier one until the session is
 * there to be found: the same line started twice at once then is one session, and the second start is told who holds it.
 */
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { acquireClaim, releaseClaim } from '../checkpoint/claim.ts';
import { nodeFiles } from '../checkpoint/files.ts';
import { errnoOf, NkatError } from '../errors.ts';
import type { StateHome } from '../home.ts';

/** A start takes some 100 ms until the index knows it; one that takes longer hangs on its disk. */
const WAIT_MS = 10_000;
const LOOK_MS = 25;

/** Where the lock is, in the folder of the state home. */
const FOLDER = 'starts';
/** The same in a root, where a name with a dot is no session. */
const FOLDER_IN_ROOT = '.starts';

export interface FirstStart {
  /** Once is enough; the death of the process does it too. */
  release(): Promise<void>;
}

const FREE: FirstStart = { release: () => Promise.resolve() };

/**
 * Never refuses: a folder that takes no file, one that another machine uses too, or a start that hangs keeps nobody from
 * training. What is lost then is that two starts at once are one session.
 *
 * @param root where the new session is to be. One beside the state home may be that of other state homes too.
 */
export async function awaitFirstStart(home: StateHome, root: string): Promise<FirstStart> {
  // Always in this order, so that two starts never wait for one another.
  const inHome = await awaitIn(join(home.directory, FOLDER));
  if (isOwnRoot(home, root)) return inHome;
  const inRoot = await awaitIn(join(root, FOLDER_IN_ROOT));
  return {
    release: async () => {
      await Promise.all([inHome.release(), inRoot.release()]);
    },
  };
}

/** True where only this state home keeps its sessions, unless somebody names it as the root of another. */
export function isOwnRoot(home: StateHome, root: string): boolean {
  return resolve(root) === home.checkpoints;
}

async function awaitIn(folder: string): Promise<FirstStart> {
  const deadline = performance.now() + WAIT_MS;
  try {
    for (;;) {
      const outcome = await acquireClaim(nodeFiles, folder, { role: 'supervisor', takeOver: false });
      if (outcome.status === 'claimed') return held(folder, outcome.claim);
      if (outcome.elsewhere || performance.now() >= deadline) return FREE;
      await sleep(LOOK_MS);
    }
  } catch (error) {
    refuseDefect(error);
    return FREE;
  }
}

function held(folder: string, claim: number): FirstStart {
  let released: Promise<void> | null = null;
  return {
    release() {
      released ??= releaseClaim(nodeFiles, folder, claim).catch(refuseDefect);
      return released;
    },
  };
}

/** A disk that takes no file now: as above, and our death releases it. */
function refuseDefect(error: unknown): void {
  if (!(error instanceof NkatError) && errnoOf(error) === null) throw error;
}
