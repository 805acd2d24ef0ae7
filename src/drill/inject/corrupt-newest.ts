/** Damage as a failing disk makes it: one bit of the newest checkpoint of a copy, with nothing in its sizes or names. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoreFiles } from '../../checkpoint/files.ts';
import type { StoreLayout } from '../../checkpoint/layout.ts';
import { listSession } from '../../checkpoint/list.ts';
import { guarded } from '../../checkpoint/store-error.ts';
import { verifyCheckpoint } from '../../checkpoint/verify.ts';

export interface Corrupted {
  readonly path: string;
  readonly sequence: number;
  /** It did not verify before anything was done to it: then nothing was. */
  readonly wasBroken: boolean;
}

/** @param copy never a session's own directory @returns null where there is nothing to damage @throws NkatError `io` */
export async function corruptNewest(files: StoreFiles, copy: StoreLayout): Promise<Corrupted | null> {
  const [newest] = await listSession(files, copy);
  if (newest === undefined) return null;
  const { status } = await verifyCheckpoint(files, newest.path, { session: copy.session, level: 1 });
  const known = { path: newest.path, sequence: newest.sequence };
  if (status !== 'verified') return { ...known, wasBroken: true };
  const path = join(newest.path, 'tensors.safetensors');
  await guarded('damage the copy', path, async () => {
    const file = await open(path, 'r+');
    try {
      const { size } = await file.stat();
      const at = Math.max(0, size - 1);
      const byte = Buffer.alloc(1);
      await file.read(byte, 0, 1, at);
      await file.write(Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, at);
      await file.sync();
    } finally {
      await file.close();
    }
  });
  return { ...known, wasBroken: false };
}
