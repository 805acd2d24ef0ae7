/**
 * Where the binding is compiled: make knows no way to write a space in a path, and has words of its own for `$`, `#`, `:` and others.
 * Where the state home has such a name, the work goes on in the system's temporary folder, and a note in the building folder
 * tells of it: an installation that was killed leaves nothing there for good.
 */
import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { errnoOf } from '../errors.ts';

const PREFIX = 'nkat-binding-';
const NOTE = 'elsewhere';
/** What make, its shell and node-gyp take as it is. */
const PLAIN = /^[\w./+@-]+$/;

/**
 * A new folder that make can work in: in `folder` itself, if its name is plain.
 *
 * @param building gets the note
 * @param unique part of the name that no earlier process used
 */
export function makeWorkPlace(folder: string, building: string, unique: string): string {
  // The programs see the path without its links.
  if (PLAIN.test(realpathSync(folder))) {
    const place = join(folder, 'work');
    mkdirSync(place);
    return place;
  }
  const root = [tmpdir(), '/tmp', '/var/tmp'].find(isPlain) ?? '/tmp';
  const place = join(root, PREFIX + unique);
  writeFileSync(join(building, NOTE), place);
  mkdirSync(place, { mode: 0o700 });
  return place;
}

/** Removes what an installation of this folder left elsewhere. */
export function clearWorkPlace(building: string): void {
  const place = notedPlace(building);
  if (place === null) return;
  if (basename(place).startsWith(PREFIX)) rmSync(place, { recursive: true, force: true });
  rmSync(join(building, NOTE), { force: true });
}

function notedPlace(building: string): string | null {
  try {
    return readFileSync(join(building, NOTE), 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return null;
    throw error;
  }
}

function isPlain(path: string): boolean {
  try {
    return PLAIN.test(realpathSync(path));
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return false;
  }
}
