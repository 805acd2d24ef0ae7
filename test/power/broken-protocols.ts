/**
 * The store with one of its guarantees taken away, by wrapping its file operations: what the harness must find. Each has
 * the word under which docs/durability.md lists it.
 */
import { basename, dirname, join } from 'node:path';
import type { StoreFile, StoreFiles } from '../../src/checkpoint/files.ts';
import { OWNERS, STAGING, type StoreLayout } from '../../src/checkpoint/layout.ts';
import { listSession } from '../../src/checkpoint/list.ts';
import { MANIFEST_FILE } from '../../src/checkpoint/manifest.ts';
import { moveToTrash } from '../../src/checkpoint/trash.ts';

/** How many the run keeps; a rotation that comes too early leaves one less. */
export const KEEP = 3;

export interface BrokenProtocol {
  readonly name: string;
  /** The promise that is broken with it. */
  readonly breaks: string;
  /** Every file operation of one boot goes through this. */
  files(real: StoreFiles, layout: StoreLayout): StoreFiles;
}

/** Found by cuts. */
export const BROKEN_PROTOCOLS: readonly BrokenProtocol[] = [
  {
    name: 'no file sync',
    breaks: 'complete-or-absent',
    files: (real) => withOpened(real, (file) => ({ ...file, sync: nothing })),
  },
  {
    name: 'no directory sync',
    breaks: 'acknowledged-is-there',
    files: (real) => ({ ...real, syncDirectory: nothing }),
  },
  { name: 'rename before the manifest', breaks: 'complete-or-absent', files: renameBeforeManifest },
  { name: 'rotation before the commit', breaks: 'acknowledged-is-there', files: rotationBeforeCommit },
  { name: 'acknowledgement before the sync', breaks: 'acknowledged-is-there', files: acknowledgementBeforeSync },
];

async function nothing(): Promise<void> {}

function withOpened(real: StoreFiles, change: (file: StoreFile, path: string) => StoreFile): StoreFiles {
  return { ...real, open: async (path, mode, direct) => change(await real.open(path, mode, direct), path) };
}

/** The manifest of a staged commit is held back, and follows when the checkpoint has its name. */
function renameBeforeManifest(real: StoreFiles): StoreFiles {
  const held = new Map<string, Buffer>();
  return {
    ...real,
    open: async (path, mode, direct) => {
      if (basename(path) !== MANIFEST_FILE || mode !== 'create') return real.open(path, mode, direct);
      held.set(dirname(path), Buffer.alloc(0));
      return heldFile(dirname(path), held);
    },
    rename: async (from, to) => {
      await real.rename(from, to);
      const manifest = held.get(from);
      if (manifest === undefined) return;
      held.delete(from);
      await real.syncDirectory(dirname(to));
      const file = await real.open(join(to, MANIFEST_FILE), 'create');
      try {
        await file.write(manifest, 0, manifest.length, 0);
        await file.sync();
      } finally {
        await file.close();
      }
      await real.syncDirectory(to);
    },
  };
}

/** In memory, under the directory that it is to stand in. */
function heldFile(directory: string, held: Map<string, Buffer>): StoreFile {
  return {
    direct: false,
    read: async () => 0,
    write: async (source, offset, length) => {
      const before = held.get(directory) ?? Buffer.alloc(0);
      held.set(directory, Buffer.concat([before, source.subarray(offset, offset + length)]));
      return length;
    },
    truncate: nothing,
    sync: nothing,
    facts: async () => ({ kind: 'file', bytes: held.get(directory)?.length ?? 0 }),
    close: nothing,
  };
}

/** Room is made first: the oldest goes when a commit begins, and not when it is there and was read back. */
function rotationBeforeCommit(real: StoreFiles, layout: StoreLayout): StoreFiles {
  return {
    ...real,
    makeDirectory: async (path) => {
      if (basename(path).startsWith('commit_')) {
        for (const { path: oldest } of (await listSession(real, layout)).slice(KEEP - 1)) {
          await moveToTrash(real, layout.directory, oldest);
        }
      }
      return real.makeDirectory(path);
    },
  };
}

/** The folders that a commit was renamed between are synced all right, but nobody waits for it: when the next one begins. */
function acknowledgementBeforeSync(real: StoreFiles, layout: StoreLayout): StoreFiles {
  const parents = [layout.directory, join(layout.directory, STAGING)];
  return {
    ...real,
    syncDirectory: async (path) => {
      if (!parents.includes(path)) await real.syncDirectory(path);
    },
    makeDirectory: async (path) => {
      if (basename(path).startsWith('commit_')) for (const parent of parents) await real.syncDirectory(parent);
      return real.makeDirectory(path);
    },
  };
}

/**
 * Verification reads this chunk of what it wrote from memory, so a change on the disk is not seen.
 * @param chunkBytes from where on nothing is read from the disk
 */
export function verificationSkipsAChunk(real: StoreFiles, chunkBytes: number): StoreFiles {
  let written = Buffer.alloc(0);
  return withOpened(real, (file) => ({
    ...file,
    write: async (source, offset, length, position) => {
      const count = await file.write(source, offset, length, position);
      if (position === chunkBytes) written = Buffer.from(source.subarray(offset, offset + count));
      return count;
    },
    read: async (target, offset, length, position) => {
      if (position < chunkBytes) return file.read(target, offset, length, position);
      return written.copy(target, offset, position - chunkBytes, position - chunkBytes + length);
    },
  }));
}

/** A claim is made and never looked for again: what others claimed since is not seen. */
export function noFencing(real: StoreFiles): StoreFiles {
  let own = Number.POSITIVE_INFINITY;
  return {
    ...real,
    link: async (from, to) => {
      await real.link(from, to);
      if (basename(dirname(to)) === OWNERS) own = Number.parseInt(basename(to), 10);
    },
    list: async (path) => {
      const names = await real.list(path);
      return basename(path) === OWNERS ? names.filter((name) => !(Number.parseInt(name, 10) > own)) : names;
    },
  };
}
