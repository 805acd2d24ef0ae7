/** The plain text list of checkpoint roots: with it a lost database can be rebuilt. One path a line. */
import { dirname, resolve } from 'node:path';
import { NkatError } from '../errors.ts';
import type { StoreFiles } from './files.ts';
import { makeDurableDirectory } from './layout.ts';
import { readTextIfAny } from './small-file.ts';
import { guarded } from './store-error.ts';

const MAX_ROOTS_BYTES = 4 * 1024 * 1024;

/**
 * Adds a root, durably; nothing to do where it is listed. It is appended in one write, so that processes that
 * register at once lose nothing (a root may then stand there twice).
 * @throws NkatError `usage` for a path with a line break, `io`, `no-space`
 */
export async function registerRoot(files: StoreFiles, rootsFile: string, root: string): Promise<void> {
  const path = resolve(root);
  const operation = 'register the checkpoint root';
  if (/[\r\n]/.test(path)) {
    throw new NkatError('A root must not have a line break in its path.', {
      code: 'usage',
      operation,
      path,
    });
  }
  await guarded(operation, rootsFile, async () => {
    const text = await readTextIfAny(files, rootsFile, MAX_ROOTS_BYTES);
    if (text !== null && linesOf(text).includes(path)) return;
    await makeDurableDirectory(files, dirname(rootsFile));
    const torn = text !== null && text !== '' && !text.endsWith('\n');
    await appendDurably(files, rootsFile, Buffer.from(`${torn ? '\n' : ''}${path}\n`));
    if (text === null) await files.syncDirectory(dirname(rootsFile));
  });
}

/** Every root ever registered, oldest first, each once. @throws NkatError `io` */
export function readRoots(files: StoreFiles, rootsFile: string): Promise<string[]> {
  return guarded('read the checkpoint roots', rootsFile, async () =>
    linesOf((await readTextIfAny(files, rootsFile, MAX_ROOTS_BYTES)) ?? ''),
  );
}

async function appendDurably(files: StoreFiles, path: string, line: Buffer): Promise<void> {
  const file = await files.open(path, 'append');
  try {
    const written = await file.write(line, 0, line.length, null);
    if (written !== line.length) throw new Error('the line was written only in part');
    await file.sync();
  } finally {
    await file.close();
  }
}

function linesOf(text: string): string[] {
  return [...new Set(text.split('\n').filter((line) => line !== ''))];
}
