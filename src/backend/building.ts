/**
 * The folder in which a backend is built. Each product stands there only when it is whole: it is made in a folder of its own
 * and renamed. So an installation that was killed goes on after its last whole product, and a child that
 * outlived it can do no more than write where nobody looks.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../make-directory.ts';
import { clearWorkPlace } from './work-place.ts';

/** Names within a backend's folder. */
export const PRODUCTS = {
  packages: 'packages',
  wheels: 'wheels',
  libraries: 'deps',
  /** A folder for each of NVIDIA's wheels, and their libraries. */
  nvidia: 'nvidia',
  binding: 'binding',
} as const;

const STEP = /^\.step-/;

export class Building {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    makeDirectory(folder, 0o700);
    clearWorkPlace(folder);
    for (const name of readdirSync(folder)) {
      if (STEP.test(name)) rmSync(join(folder, name), { recursive: true, force: true });
    }
  }

  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  has(name: string): boolean {
    return existsSync(this.path(name));
  }

  /**
   * Makes a product unless it is there.
   *
   * @param make fills the folder that it is given, or throws
   * @param unique part of the working folder's name that no earlier process used
   */
  async make(name: string, unique: string, make: (folder: string) => Promise<void>): Promise<void> {
    if (this.has(name)) return;
    const work = this.path(`.step-${unique}`);
    mkdirSync(work, { mode: 0o700 });
    try {
      await make(work);
      makeDirectory(dirname(this.path(name)), 0o700);
      renameSync(work, this.path(name));
    } catch (error) {
      rmSync(work, { recursive: true, force: true });
      throw error;
    }
  }

  discard(name: string): void {
    rmSync(this.path(name), { recursive: true, force: true });
  }
}
