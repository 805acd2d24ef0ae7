/** The best model's own copy in another directory, possibly on another disk: a full commit, verified, then the old one goes. */
import { basename, join } from 'node:path';
import { NkatError } from '../errors.ts';
import { aboutBytes } from '../units.ts';
import { openBackupPlace } from './backup-place.ts';
import { bounceBuffers } from './bounce-buffers.ts';
import { READ_BUFFERS, readChunks } from './chunk-reader.ts';
import { ChunkedWriter } from './chunked-writer.ts';
import { describeDamages } from './damage-text.ts';
import { digestOf } from './digest.ts';
import type { StoreFiles } from './files.ts';
import { backupName, makeDurableLevel, parseBackupName, STAGING, type StoreLayout } from './layout.ts';
import { MANIFEST_FILE, MAX_MANIFEST_BYTES, totalBytes } from './manifest.ts';
import { pruneQuarantine, quarantineCheckpoint } from './quarantine.ts';
import { readSmallFile, removeTree, writeNewFile } from './small-file.ts';
import { cleanStaging, makeStaging } from './staging.ts';
import { guarded } from './store-error.ts';
import { emptyTrash, moveToTrash } from './trash.ts';
import type { Manifest } from './types.ts';
import { markVerified } from './verified-marker.ts';
import { verifyCheckpoint } from './verify.ts';

const OPERATION = 'copy the best checkpoint';

export interface BackupSource {
  readonly path: string;
  readonly manifest: Manifest;
}

/**
 * Copies a checkpoint to `<backups>/best_<step>_<sequence>`, durably, reads the copy back, and only then removes the
 * copies before it. One that stands there already and verifies is taken as it is. Returns its path.
 * @throws NkatError `store-missing` (see `openBackupPlace`)
 * @throws NkatError `io`, `no-space`, `checkpoint-damaged` (source or copy does not verify; older copies stay)
 */
export function backUp(files: StoreFiles, layout: StoreLayout, source: BackupSource): Promise<string> {
  const { backups, session } = layout;
  return guarded(OPERATION, backups, async () => {
    const { step, sequence } = source.manifest;
    const target = join(backups, backupName(step, sequence));
    await openBackupPlace(files, layout);
    await makeDurableLevel(files, join(backups, STAGING));
    await cleanStaging(files, backups);
    const standing = await verifyCheckpoint(files, target, { session, level: 1 });
    if (standing.status === 'damaged') {
      await quarantineCheckpoint(files, layout, target, describeDamages(standing.damages));
    }
    if (standing.status !== 'verified') {
      await copy(files, backups, source, target);
      await requireVerified(files, layout, target);
    }
    await markVerified(files, target, 1);
    await removeOthers(files, backups, basename(target));
    return target;
  });
}

async function copy(files: StoreFiles, backups: string, source: BackupSource, target: string): Promise<void> {
  const needed = totalBytes(source.manifest);
  await emptyTrash(files, backups);
  const free = await files.freeBytes(backups);
  if (free < needed) {
    const message = `The backup needs ${aboutBytes(needed)}, and ${aboutBytes(free)} are free.`;
    throw new NkatError(message, { code: 'no-space', operation: OPERATION, path: backups });
  }
  const staging = await makeStaging(files, join(backups, STAGING), source.manifest.sequence);
  try {
    for (const name of Object.keys(source.manifest.files)) await copyFile(files, source, staging.path, name);
    const manifest = await readSmallFile(files, join(source.path, MANIFEST_FILE), MAX_MANIFEST_BYTES);
    await writeNewFile(files, join(staging.path, MANIFEST_FILE), manifest);
    await files.syncDirectory(staging.path);
    await files.rename(staging.path, target);
  } catch (error) {
    await removeTree(files, staging.path);
    throw error;
  }
  await files.syncDirectory(join(backups, STAGING));
  await files.syncDirectory(backups);
}

/** What is copied is checked on its way, so that damage is not spread. */
async function copyFile(files: StoreFiles, source: BackupSource, staging: string, name: string): Promise<void> {
  const expected = source.manifest.files[name] ?? { bytes: 0, chunks: [] };
  const writer = await ChunkedWriter.create(files, join(staging, name), bounceBuffers(2), true);
  try {
    for await (const { index, bytes } of readChunks(
      files,
      join(source.path, name),
      expected.bytes,
      bounceBuffers(READ_BUFFERS),
    )) {
      if (digestOf(bytes) !== expected.chunks[index])
        throw damaged(`chunk ${index} of ${name} is damaged`, source.path);
      await writer.append(bytes);
    }
    await writer.finish();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

async function requireVerified(files: StoreFiles, layout: StoreLayout, target: string): Promise<void> {
  const verdict = await verifyCheckpoint(files, target, { session: layout.session, level: 1 });
  if (verdict.status === 'verified') return;
  const reason = verdict.status === 'damaged' ? describeDamages(verdict.damages) : verdict.status;
  if (verdict.status === 'damaged') await quarantineCheckpoint(files, layout, target, reason);
  throw damaged(`the copy does not verify: ${reason}`, target);
}

async function removeOthers(files: StoreFiles, backups: string, kept: string): Promise<void> {
  const others = (await files.list(backups)).filter((name) => name !== kept && parseBackupName(name) !== null);
  for (const name of others) await moveToTrash(files, backups, join(backups, name));
  await emptyTrash(files, backups);
  await pruneQuarantine(files, backups);
}

function damaged(reason: string, path: string): NkatError {
  return new NkatError(`The backup was not made: ${reason}.`, {
    code: 'checkpoint-damaged',
    operation: OPERATION,
    path,
  });
}
