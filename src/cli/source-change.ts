import { readFileSync } from 'node:fs';
import { digestOf } from '../checkpoint/digest.ts';
import type { SessionFile } from '../checkpoint/types.ts';
import { errnoOf } from '../errors.ts';
import { isScript } from './trainer.ts';

/** True when the trainer's source differs from that of the session's last launch. A lost file is no change. */
export function trainerHasChanged(file: SessionFile | null): boolean {
  if (file === null || file.sourceDigest === null || !isScript(file.identity.trainer)) return false;
  try {
    return digestOf(readFileSync(file.identity.trainer)) !== file.sourceDigest;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return false;
  }
}
