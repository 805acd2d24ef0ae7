/** The real disk with a record of every operation, and with faults at chosen ones. */
import type { StoreFile, StoreFiles } from '../../src/checkpoint/files.ts';

export interface Operation {
  readonly name: string;
  readonly path: string;
  /** Of a rename or link. */
  readonly to?: string;
}

/** Called before each operation with its number among all, from 0, and waited for; throws to make it fail. */
export type OnOperation = (operation: Operation, number: number) => Promise<void> | void;

/** Operations that change what is on the disk, or when it is there. */
export const CHANGING: ReadonlySet<string> = new Set([
  'open-create',
  'open-append',
  'write',
  'truncate',
  'sync',
  'makeDirectory',
  'rename',
  'link',
  'symlink',
  'unlink',
  'removeDirectory',
  'syncDirectory',
]);

export function watchedFiles(real: StoreFiles, before: OnOperation): StoreFiles & { readonly log: Operation[] } {
  const log: Operation[] = [];
  const did = async <T>(name: string, path: string, run: () => Promise<T>, to?: string): Promise<T> => {
    const operation = to === undefined ? { name, path } : { name, path, to };
    log.push(operation);
    await before(operation, log.length - 1);
    return run();
  };
  const watched = (file: StoreFile, path: string): StoreFile => ({
    direct: file.direct,
    read: (...args) => did('read', path, () => file.read(...args)),
    write: (...args) => did('write', path, () => file.write(...args)),
    truncate: (bytes) => did('truncate', path, () => file.truncate(bytes)),
    sync: () => did('sync', path, () => file.sync()),
    facts: () => did('facts', path, () => file.facts()),
    close: () => file.close(),
  });
  return {
    log,
    open: async (path, mode, direct) =>
      watched(await did(`open-${mode}`, path, () => real.open(path, mode, direct)), path),
    facts: (path) => did('facts', path, () => real.facts(path)),
    list: (path) => did('list', path, () => real.list(path)),
    makeDirectory: (path) => did('makeDirectory', path, () => real.makeDirectory(path)),
    rename: (from, to) => did('rename', from, () => real.rename(from, to), to),
    link: (from, to) => did('link', from, () => real.link(from, to), to),
    symlink: (target, path) => did('symlink', path, () => real.symlink(target, path)),
    readLink: (path) => did('readLink', path, () => real.readLink(path)),
    unlink: (path) => did('unlink', path, () => real.unlink(path)),
    removeDirectory: (path) => did('removeDirectory', path, () => real.removeDirectory(path)),
    syncDirectory: (path) => did('syncDirectory', path, () => real.syncDirectory(path)),
    freeBytes: (path) => did('freeBytes', path, () => real.freeBytes(path)),
  };
}

export function systemError(errno: string): Error {
  return Object.assign(new Error(`${errno}: made by the test`), { code: errno });
}
