/**
 * The numbered right to own a session. Claims are files `owners/<n>.json` beside the checkpoints, created
 * exclusively and complete (hard link of a synced file), numbers ever rising. Whoever holds a lower number than the
 * highest is fenced: it may not commit. Only the death of an owner, its own release or an operator's take-over ends
 * a claim; never the age of anything.
 */
import { join } from 'node:path';
import { errnoOf, NkatError } from '../errors.ts';
import { Invalid, integer, nullable, oneOf, read, stored, string } from '../schema.ts';
import type { StoreFiles } from './files.ts';
import { makeDurableDirectory, OWNERS, QUARANTINE } from './layout.ts';
import { listPlace } from './list.ts';
import { currentOwner, isAlive, relationOf } from './process-identity.ts';
import { readSessionFile } from './session-file.ts';
import { cleanTemporaries, namesIfAny, readTextIfAny, removeIfAny, temporaryPath, writeNewFile } from './small-file.ts';
import { guarded } from './store-error.ts';
import type { ClaimOutcome, Owner } from './types.ts';

/** How many of the newest claim files stay, for people who look for what happened. */
const KEPT_CLAIMS = 5;
/** What file systems without hard links answer. */
const NO_HARD_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);
/** The names of claims have up to 15 digits. */
const MAX_CLAIM = 999_999_999_999_999;
const MAX_OWNER_BYTES = 64 * 1024;

const text = string(MAX_OWNER_BYTES);
const ownerSchema = stored({
  claim: integer(1),
  role: oneOf(['supervisor', 'alone']),
  pid: integer(1),
  startTime: nullable(text),
  bootId: nullable(text),
  pidNamespace: nullable(text),
  machineId: nullable(text),
  host: text,
  at: text,
});

export interface ClaimRequest {
  readonly role: Owner['role'];
  /** The operator says that the owner elsewhere is gone. A living owner on this machine is never overruled. */
  readonly takeOver: boolean;
}

/**
 * Takes the next number of the session in `directory` (created where missing), unless someone holds the highest one.
 * The same process may claim again; that fences what it did under its earlier number.
 * @throws NkatError `io`, `no-space`
 */
export function acquireClaim(files: StoreFiles, directory: string, request: ClaimRequest): Promise<ClaimOutcome> {
  return guarded('claim the session', directory, async () => {
    const owners = join(directory, OWNERS);
    await makeDurableDirectory(files, owners);
    await cleanTemporaries(files, owners);
    for (;;) {
      const highest = await highestIn(files, owners);
      const previous = await ownerOf(files, owners, highest);
      const holder = await holderOf(files, owners, previous, request.takeOver);
      if (holder !== null) return holder;
      const claim = (highest === 0 ? await highestTold(files, directory) : highest) + 1;
      if (claim > MAX_CLAIM) throw new Error(`no claim can follow number ${highest}`);
      if (!(await createClaim(files, owners, claim, request.role))) continue;
      // Between our look and our link others may have claimed and pruned: the number is ours only if it is the top.
      if ((await highestIn(files, owners)) !== claim) {
        await removeIfAny(files, claimPath(owners, claim));
        continue;
      }
      await prune(files, owners, claim);
      return { status: 'claimed', claim, previous };
    }
  });
}

/** Highest number ever claimed here; 0 when there is none. @throws NkatError `io` */
export function highestClaim(files: StoreFiles, directory: string): Promise<number> {
  return guarded('read the claims', directory, () => highestIn(files, join(directory, OWNERS)));
}

/** Who holds or held the highest claim; null when there is none or its file is damaged. @throws NkatError `io` */
export function readOwner(files: StoreFiles, directory: string): Promise<Owner | null> {
  return guarded('read the claims', directory, async () => {
    const owners = join(directory, OWNERS);
    return ownerOf(files, owners, await highestIn(files, owners));
  });
}

/** True when the owner itself gave this claim back. @throws NkatError `io` */
export function isReleased(files: StoreFiles, directory: string, claim: number): Promise<boolean> {
  return guarded('read the claims', directory, () => releasedIn(files, join(directory, OWNERS), claim));
}

/** Gives a claim back, durably; the number stays used. @throws NkatError `io`, `no-space` */
export function releaseClaim(files: StoreFiles, directory: string, claim: number): Promise<void> {
  return guarded('release the claim', directory, async () => {
    const owners = join(directory, OWNERS);
    try {
      await writeNewFile(files, releasePath(owners, claim), Buffer.from(`${new Date().toISOString()}\n`));
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    await files.syncDirectory(owners);
  });
}

async function holderOf(
  files: StoreFiles,
  owners: string,
  previous: Owner | null,
  takeOver: boolean,
): Promise<ClaimOutcome | null> {
  // A damaged claim file cannot come from a crash (it was synced before it got its name). Going on is safe: whoever
  // wrote it is fenced by the higher number.
  if (previous === null || (await releasedIn(files, owners, previous.claim))) return null;
  const self = currentOwner(previous.role);
  switch (relationOf(previous, self)) {
    case 'rebooted':
      return null;
    case 'elsewhere':
      return takeOver ? null : { status: 'held', by: previous, elsewhere: true };
    case 'here': {
      const isSelf = previous.pid === self.pid && previous.startTime === self.startTime;
      return isSelf || !isAlive(previous) ? null : { status: 'held', by: previous, elsewhere: false };
    }
  }
}

/** False when another process made that very number first. */
async function createClaim(files: StoreFiles, owners: string, claim: number, role: Owner['role']): Promise<boolean> {
  const owner: Owner = { claim, at: new Date().toISOString(), ...currentOwner(role) };
  const content = Buffer.from(`${JSON.stringify(owner, null, 2)}\n`);
  const temporary = temporaryPath(owners, 'claim');
  try {
    await writeNewFile(files, temporary, content);
    await linkOrCreate(files, temporary, claimPath(owners, claim), content);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await removeIfAny(files, temporary);
  }
  await files.syncDirectory(owners);
  return true;
}

/**
 * On a file system without hard links the claim is created by its name and filled then. Who reads it half-written
 * takes the next number; the look after the claim, and the fence at every commit, settle which one counts.
 */
async function linkOrCreate(files: StoreFiles, from: string, to: string, content: Buffer): Promise<void> {
  try {
    await files.link(from, to);
  } catch (error) {
    if (!NO_HARD_LINKS.has(errnoOf(error) ?? '')) throw error;
    await writeNewFile(files, to, content);
  }
}

async function highestIn(files: StoreFiles, owners: string): Promise<number> {
  return Math.max(0, ...(await claimNumbers(files, owners)));
}

/**
 * Highest claim that the record and the checkpoints speak of: the claims were deleted, and their numbers must not be
 * given again, or a worker that was fenced would commit once they come to its own.
 */
async function highestTold(files: StoreFiles, directory: string): Promise<number> {
  const entries = await listPlace(files, directory, 'session');
  const quarantined = await listPlace(files, join(directory, QUARANTINE), 'session');
  const committed = [...entries, ...quarantined].map(({ manifest }) => manifest?.claim ?? 0);
  return Math.max(await recordedClaim(files, directory), 0, ...committed);
}

/** 0 where the record is lost too: the claim comes before whatever mends it. */
async function recordedClaim(files: StoreFiles, directory: string): Promise<number> {
  try {
    return (await readSessionFile(files, directory))?.claim ?? 0;
  } catch (error) {
    if (!(error instanceof NkatError)) throw error;
    return 0;
  }
}

async function claimNumbers(files: StoreFiles, owners: string): Promise<number[]> {
  const names = await namesIfAny(files, owners);
  return names.flatMap((name) => {
    // The note of a release whose claim is gone counts too: that number must not be given away as released.
    const digits = /^(\d{1,15})\.(?:json|released)$/.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
}

async function ownerOf(files: StoreFiles, owners: string, claim: number): Promise<Owner | null> {
  const owner = read(ownerSchema, parseJson(await readTextIfAny(files, claimPath(owners, claim), MAX_OWNER_BYTES)));
  return owner instanceof Invalid ? null : { ...owner, claim };
}

function parseJson(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

async function releasedIn(files: StoreFiles, owners: string, claim: number): Promise<boolean> {
  try {
    await files.facts(releasePath(owners, claim));
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function prune(files: StoreFiles, owners: string, claim: number): Promise<void> {
  for (const old of await claimNumbers(files, owners)) {
    if (old > claim - KEPT_CLAIMS) continue;
    await removeIfAny(files, claimPath(owners, old));
    await removeIfAny(files, releasePath(owners, old));
  }
}

function claimPath(owners: string, claim: number): string {
  return join(owners, `${claim}.json`);
}

function releasePath(owners: string, claim: number): string {
  return join(owners, `${claim}.released`);
}
