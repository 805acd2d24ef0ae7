/**
 * Where a configuration file is looked for, when none is named: in the trainer's folder, then in each folder above it
 * up to the root of its project, then in the working folder. The first one found is the only one used; it may extend
 * others. The root of the project is the nearest folder upwards that holds `.git`, else the nearest that holds
 * `package.json` or `pyproject.toml`; a trainer that lies in no project has only its own folder, so that a file in a
 * home folder or in /tmp never governs unrelated trainers.
 */
import { dirname, join } from 'node:path';
import { NkatError } from '../errors.ts';

export const FILE_NAMES = ['nkat-recover.yaml', 'nkat-recover.yml', 'nkat-recover.json'] as const;
const PACKAGE_FILES: readonly string[] = ['package.json', 'pyproject.toml'];

export interface FoundFile {
  readonly path: string | null;
  /** Files that would have counted, had there not been a nearer one. */
  readonly passedOver: readonly string[];
  /** Files above what counts as the project: somebody may have meant one of them. */
  readonly outside: readonly string[];
}

/**
 * @param trainer absolute path of the training script; null: none was named
 * @param exists true for anything that has that name, readable or not
 * @throws NkatError `configuration` where two files of one folder contradict by being there
 */
export function findFile(trainer: string | null, cwd: string, exists: (path: string) => boolean): FoundFile {
  const folders = [...(trainer === null ? [] : foldersOf(dirname(trainer), exists)), cwd];
  const found = [...new Set(folders)].flatMap((folder) => filesOf(folder, exists));
  const above = upwardsFrom(trainer === null ? cwd : dirname(trainer)).filter((folder) => !folders.includes(folder));
  const outside = above.flatMap((folder) => FILE_NAMES.map((name) => join(folder, name)).filter(exists));
  return { path: found[0] ?? null, passedOver: found.slice(1), outside };
}

/** A folder and all above it, the nearest first. */
function upwardsFrom(folder: string): string[] {
  const upwards = [folder];
  for (let at = dirname(folder); at !== upwards.at(-1); at = dirname(at)) upwards.push(at);
  return upwards;
}

function foldersOf(folder: string, exists: (path: string) => boolean): string[] {
  const upwards = upwardsFrom(folder);
  const repository = upwards.findIndex((at) => exists(join(at, '.git')));
  const project = repository >= 0 ? repository : upwards.findIndex((at) => holdsPackage(at, exists));
  return upwards.slice(0, Math.max(0, project) + 1);
}

function holdsPackage(folder: string, exists: (path: string) => boolean): boolean {
  return PACKAGE_FILES.some((name) => exists(join(folder, name)));
}

function filesOf(folder: string, exists: (path: string) => boolean): string[] {
  const files = FILE_NAMES.map((name) => join(folder, name)).filter(exists);
  const [first, second] = files;
  if (first === undefined || second === undefined) return files;
  throw new NkatError(`${first} and ${second} stand side by side, and only one can count`, {
    code: 'configuration',
    operation: 'read the configuration',
    path: first,
    hint: 'Remove one of them, or name the one that counts with --config.',
  });
}
