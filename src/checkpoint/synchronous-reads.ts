/**
 * The real disk, read without a detour through the thread pool: for work that has nothing else to do meanwhile, like a
 * repair of a long history. A small file takes a fifth of the time. Never under a run: a slow disk would hold its event
 * loop.
 */
import { closeSync, fstatSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { factsOf, nodeFiles, READ_FLAGS, type StoreFile, type StoreFiles } from './files.ts';

/** What writes, and direct reads, go the way of {@link nodeFiles}. */
export const synchronousReads: StoreFiles = {
  ...nodeFiles,
  async open(path, mode, direct = false) {
    return mode === 'read' && !direct ? openedToRead(path) : nodeFiles.open(path, mode, direct);
  },
  facts: async (path) => factsOf(lstatSync(path)),
  list: async (path) => readdirSync(path),
};

function openedToRead(path: string): StoreFile {
  const descriptor = openSync(path, READ_FLAGS);
  const refuse = async (): Promise<never> => {
    throw new Error(`${path} is open for reading only`);
  };
  return {
    direct: false,
    read: async (target, offset, length, position) => readSync(descriptor, target, offset, length, position),
    write: refuse,
    truncate: refuse,
    sync: refuse,
    facts: async () => factsOf(fstatSync(descriptor)),
    close: async () => closeSync(descriptor),
  };
}
