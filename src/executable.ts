/** Can this file be run as a program? */
import { accessSync, constants, statSync } from 'node:fs';
import { errnoOf } from './errors.ts';

/** False for what is not there, too; a folder may be entered, not run. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return false;
  }
}
