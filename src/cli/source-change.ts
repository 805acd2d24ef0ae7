import { readFileSync } from 'node:fs';
import { digestOf } from '../checkpoint/digest.ts';
import type { SessionFile } from '../checkpoint/types.ts';
import { errnoOf } from '../errors.ts';
import { isScript } from './trainer.ts';

/** Digest of the trainer's source as it is now; null: it is no script of ours, or it cannot be read. */
export function sourceDigestOf(trainer: string): string | null {
  if (!isScript(trainer)) return null;
  try {
    return digestOf(readFileSync(trainer));
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return null;
  }
}

/** True when the trainer's source differs from that of the session's last launch. A lost file is no change. */
export function trainerHasChanged(file: SessionFile | null): boolean {
  if (file === null || file.sourceDigest === null) return false;
  const now = sourceDigestOf(file.identity.trainer);
  return now !== null && now !== file.sourceDigest;
}
