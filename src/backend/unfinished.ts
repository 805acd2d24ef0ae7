/** What an installation that did not come to its end has left: `backend install` goes on with it, `backend remove` takes it away. */
import { join } from 'node:path';
import { FLAVOURS, type Flavour, namesIn } from '../installed-backend.ts';
import { bytesBelow } from './growth.ts';

export interface Unfinished {
  readonly folder: string;
  readonly flavour: Flavour;
  readonly tensorflow: string;
  readonly bytes: number;
}

const BUILDING = '.building-';

/** Name of the folder in which this backend is built, below that of all backends. */
export function buildingName(flavour: Flavour, tensorflow: string): string {
  return `${BUILDING}${flavour}-${tensorflow}`;
}

/** @param folder of all backends */
export function unfinishedInstallations(folder: string): Unfinished[] {
  return namesIn(folder)
    .sort()
    .flatMap((name) => {
      const flavour = FLAVOURS.find((each) => name.startsWith(buildingName(each, '')));
      if (flavour === undefined) return [];
      const path = join(folder, name);
      const tensorflow = name.slice(buildingName(flavour, '').length);
      return [{ folder: path, flavour, tensorflow, bytes: bytesBelow(path) }];
    });
}
