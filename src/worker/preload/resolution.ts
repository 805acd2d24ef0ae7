/** Where to look for what a trainer imports. Pure: both kinds of hooks try the attempts in order. */
import { basename, dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Places {
  /** A file of our own; what we have installed resolves from it. */
  readonly anchor: string;
  /** Our package's directory. */
  readonly root: string;
  /** The directory of the script that node was started with. */
  readonly trainer: string;
}

export type Attempt =
  /** As it stands. */
  | { readonly kind: 'as-written' }
  /** The same specifier, as if the file `from` had asked. */
  | { readonly kind: 'from'; readonly from: string }
  /** This very file. */
  | { readonly kind: 'file'; readonly path: string };

const AS_WRITTEN: Attempt = { kind: 'as-written' };
/** The SDK and tfjs: nothing else is ever redirected. */
const OFFERED = /^(?:nkat-recover|@tensorflow)(?:\/|$)/;
const RELATIVE = /^(?:\.{1,2}(?:\/|$)|\/|file:)/;
const TYPESCRIPT_FOR: Readonly<Record<string, string>> = { '.js': '.ts', '.mjs': '.mts', '.cjs': '.cts' };

/**
 * What to try for a specifier, in order; the error of the attempt as written stands when all fail.
 * @param parent path of the file that asks, null when it is not a file.
 */
export function attempts(specifier: string, parent: string | null, places: Places): readonly Attempt[] {
  if (OFFERED.test(specifier)) {
    const trainer: Attempt = { kind: 'from', from: join(places.trainer, 'trainer.js') };
    const ours: Attempt = { kind: 'from', from: places.anchor };
    // There must be one tfjs in a process, and the trainer's own copy wins: for our own imports of it too.
    return parent !== null && isOurs(parent, places) ? [trainer, AS_WRITTEN, ours] : [AS_WRITTEN, trainer, ours];
  }
  if (parent === null || !RELATIVE.test(specifier) || parent.includes(`${sep}node_modules${sep}`)) return [AS_WRITTEN];
  return [AS_WRITTEN, ...typescriptFiles(pathOf(specifier, parent)).map((path): Attempt => ({ kind: 'file', path }))];
}

/** Whether an error says that the next attempt may be made. */
export function isNotFound(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  const { code } = error;
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND' || code === 'ERR_UNSUPPORTED_DIR_IMPORT';
}

/** Our package, or the tfjs that a package manager has put beside it. */
function isOurs(path: string, { root }: Places): boolean {
  if (path.startsWith(root + sep)) return true;
  const beside = dirname(root);
  return basename(beside) === 'node_modules' && path.startsWith(join(beside, '@tensorflow') + sep);
}

function typescriptFiles(path: string): string[] {
  for (const [javascript, typescript] of Object.entries(TYPESCRIPT_FOR)) {
    if (path.endsWith(javascript)) return [path.slice(0, -javascript.length) + typescript];
  }
  const extensions = Object.values(TYPESCRIPT_FOR);
  return [...extensions.map((extension) => path + extension), ...extensions.map((end) => join(path, `index${end}`))];
}

function pathOf(specifier: string, parent: string): string {
  if (specifier.startsWith('file:')) return fileURLToPath(specifier);
  return resolve(dirname(parent), specifier);
}
