/**
 * NVIDIA's libraries beside TensorFlow's as the wheels lie in Python: `nvidia/cudnn/lib` and so on. The run paths that stand in
 * these libraries lead there (`$ORIGIN/../../nvidia/cudnn/lib` in TensorFlow's, `$ORIGIN/../../cublas/lib` in cuDNN's), so that
 * they find one another in a trainer that nobody launched, too. Real folders: the system follows a link before `..`.
 */
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { type Building, PRODUCTS } from './building.ts';

const { nvidia } = PRODUCTS;

/** Takes the libraries out of the folders of their wheels; what is there already stays. */
export function layOutLibraries(building: Building): void {
  for (const [wheel, name] of foldersOfWheels(building)) {
    const target = building.path(nvidia, name);
    if (!existsSync(target)) renameSync(building.path(nvidia, wheel, name), target);
  }
}

/** Within the backend's folder. */
export function libraryFolders(building: Building): string[] {
  const laidOut = foldersIn(building.path(nvidia)).map((name) => join(nvidia, name, 'lib'));
  const others = foldersOfWheels(building).map(([wheel, name]) => join(nvidia, wheel, name, 'lib'));
  return [...laidOut, ...others].filter((folder) => existsSync(building.path(folder)));
}

function foldersOfWheels(building: Building): [wheel: string, name: string][] {
  return foldersIn(building.path(nvidia)).flatMap((wheel) =>
    foldersIn(building.path(nvidia, wheel))
      .filter((name) => existsSync(building.path(nvidia, wheel, name, 'lib')))
      .map((name): [string, string] => [wheel, name]),
  );
}

function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}
