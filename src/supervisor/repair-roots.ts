/** The roots that a repair looks into, and what in them is a session. */
import { readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { StoreFiles } from '../checkpoint/files.ts';
import { readRoots, registerRoot } from '../checkpoint/roots.ts';
import { isSessionFolder } from '../checkpoint/session-folder.ts';
import { errnoOf, NkatError } from '../errors.ts';
import type { StateHome } from '../home.ts';
import { readAhead } from './read-ahead.ts';
import type { RepairFinding } from './repair-finding.ts';

export interface SessionFolder {
  readonly root: string;
  readonly id: string;
}

/** @throws NkatError for a root that cannot be read or holds no session: each later repair would tell of it */
export async function refuseWrongRoot(files: StoreFiles, path: string, home: StateHome): Promise<void> {
  const problem = rootProblem(path);
  if (problem !== null) {
    throw new NkatError(`--root cannot be read (${problem})`, {
      code: 'io',
      operation: 'add the root',
      path,
      hint: 'Check the path, or mount its disk first. Nothing was changed.',
    });
  }
  const known = [home.checkpoints, ...(await readRoots(files, home.roots))];
  if (known.some((root) => resolve(root) === path) || (await sessionsIn(files, path)).length > 0) return;
  const isSession = await isSessionFolder(files, path);
  throw new NkatError(isSession ? 'this folder is a session itself' : 'no sessions there', {
    code: 'session-not-found',
    operation: 'add the root',
    path,
    hint: isSession
      ? `Its root is the folder above it: nkat-recover repair --root '${dirname(path)}'`
      : 'Name the folder that holds the folders of sessions. Nothing was changed or remembered.',
  });
}

/** Every root that can be read; of the others it is told. A new one is remembered. */
export async function rootsOf(
  files: StoreFiles,
  { home, root, dryRun }: { readonly home: StateHome; readonly root: string | null; readonly dryRun: boolean },
  tell: (finding: RepairFinding) => void,
): Promise<string[]> {
  const registered = await readRoots(files, home.roots);
  const roots = new Set([home.checkpoints, ...registered]);
  if (root !== null && !roots.has(resolve(root))) {
    const path = resolve(root);
    if (!dryRun) await registerRoot(files, home.roots, path);
    roots.add(path);
    tell({
      what: 'root-registered',
      path,
      message: 'this root was not known',
      fixed: dryRun ? 'would be added' : 'added',
    });
  }
  return [...roots]
    .map((path) => resolve(path))
    .filter((path) => {
      const problem = rootProblem(path);
      // The default root comes with the first session.
      if (problem !== null && (path !== home.checkpoints || problem !== 'ENOENT')) {
        tell({
          what: 'root-missing',
          path,
          message: `this root cannot be read (${problem}): mount its disk and repair again`,
          fixed: null,
        });
      }
      return problem === null;
    });
}

/** What is a session among the folders of a root. */
export async function sessionsIn(
  files: StoreFiles,
  root: string,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<SessionFolder[]> {
  const names = readdirSync(root).filter((name) => !name.startsWith('.'));
  const directories = names.map((name) => join(root, name));
  const found: SessionFolder[] = [];
  const ahead = readAhead(directories, false);
  try {
    for (const [index, id] of names.entries()) {
      const directory = join(root, id);
      if (isDirectory(directory) && (await isSessionFolder(files, directory))) found.push({ root, id });
      ahead.reached(index + 1);
      onProgress(index + 1, names.length);
    }
  } finally {
    await ahead.close();
  }
  return found;
}

function rootProblem(path: string): string | null {
  try {
    readdirSync(path);
    return null;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    return errno;
  }
}

/** False for links that lead in a circle, and for what cannot be looked at: none of them is a session of ours. */
function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return false;
  }
}
