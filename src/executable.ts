/** Which files can be run as programs, and where a program of a name is: the one walk along the PATH. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve, sep } from 'node:path';
import { errnoOf } from './errors.ts';

export interface SearchPlace {
  /** The variable PATH; missing: the folders that a shell has without it. */
  readonly path: string | undefined;
  /** What relative names, and relative or empty parts of the PATH count from. */
  readonly cwd: string;
}

const PATH_WITHOUT_ONE = '/usr/local/bin:/usr/bin:/bin';

/** False for what is not there, too; a folder may be entered, not run. */
export function isExecutable(path: string): boolean {
  return executableErrno(path) === null;
}

/** As a shell looks: a name with a slash stands for itself, others are looked for along the PATH. @returns absolute; null: nowhere */
export function findProgram(name: string, place: SearchPlace): string | null {
  return placesOf(name, place).find(isExecutable) ?? null;
}

/** Null: a program of this name can be run. `ENOENT`: it is nowhere; else what kept the last one that is there from being run. */
export function unrunnableErrno(name: string, place: SearchPlace): string | null {
  let found = 'ENOENT';
  for (const path of placesOf(name, place)) {
    const errno = executableErrno(path);
    if (errno === null) return null;
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR') found = errno;
  }
  return found;
}

function placesOf(name: string, { path, cwd }: SearchPlace): string[] {
  if (name === '') return [];
  if (name.includes('/') || name.includes(sep)) return [resolve(cwd, name)];
  return (path ?? PATH_WITHOUT_ONE).split(delimiter).map((folder) => resolve(cwd, folder, name));
}

function executableErrno(path: string): string | null {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? null : 'EACCES';
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    return errno;
  }
}
