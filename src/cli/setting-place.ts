/** Near which script the settings of a session are looked for. */
import { statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import type { SessionIdentity } from '../checkpoint/types.ts';
import { errnoOf } from '../errors.ts';
import type { SettingPlace } from './own-settings.ts';
import { isScript } from './trainer.ts';

/** Of `python train.py` the trainer is `train.py`; a data file among the arguments is none. */
const PROGRAM_EXTENSIONS: readonly string[] = '.py .sh .ts .mts .cts .js .mjs .cjs .jl .r .rb .lua .pl'.split(' ');

/** The place is a function of what a session keeps, so that `resume` finds the file that `run` found. */
export function settingPlaceOf({ cwd, trainer, args }: SessionIdentity): SettingPlace {
  if (isScript(trainer) || isProgram(trainer)) return { cwd, trainer };
  const script = args.map((word) => resolve(cwd, word)).find((path) => isProgram(path));
  return { cwd, trainer: script ?? trainer };
}

function isProgram(path: string): boolean {
  if (!PROGRAM_EXTENSIONS.includes(extname(path).toLowerCase())) return false;
  try {
    return statSync(path).isFile();
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return false;
  }
}
