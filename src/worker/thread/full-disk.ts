/** A disk without room, for a rehearsal: what is read is the real disk, what would take room is refused as it would be. */
import type { StoreFile, StoreFiles } from '../../checkpoint/files.ts';

/** @param isFull asked at each write */
export function fullDisk(files: StoreFiles, isFull: () => boolean): StoreFiles {
  return {
    ...files,
    async open(path, mode, direct) {
      const file = await files.open(path, mode, direct);
      return mode === 'read' ? file : refusing(file, isFull);
    },
    freeBytes: (path) => (isFull() ? Promise.resolve(0) : files.freeBytes(path)),
  };
}

function refusing(file: StoreFile, isFull: () => boolean): StoreFile {
  return {
    direct: file.direct,
    read: (target, offset, length, position) => file.read(target, offset, length, position),
    write: (source, offset, length, position) =>
      isFull() ? Promise.reject(noSpace()) : file.write(source, offset, length, position),
    truncate: (bytes) => file.truncate(bytes),
    sync: () => file.sync(),
    facts: () => file.facts(),
    close: () => file.close(),
  };
}

function noSpace(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
}
