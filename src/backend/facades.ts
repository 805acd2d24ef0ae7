/**
 * The packages that tfjs-node-gpu asks for and must not get of its own: tfjs would be there twice, and node-pre-gyp would look for
 * a binding that was downloaded. They hand on what `nkat-recover/tfjs` lays down before it loads the package.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TFJS } from './pins.ts';

/** The same words stand in `src/worker/tfjs/native.ts`, which may not import this room. */
const HANDED = "globalThis[Symbol.for('nkat-recover.native-backend')]";

const FACADES: Readonly<Record<string, string>> = {
  '@tensorflow/tfjs': `module.exports = ${HANDED}.tfjs;\n`,
  '@tensorflow/tfjs-core': `module.exports = ${HANDED}.tfjs;\n`,
  '@mapbox/node-pre-gyp': `exports.find = () => ${HANDED}.binding;\n`,
};

/** @param modules a `node_modules` folder */
export function writeFacades(modules: string): void {
  for (const [name, code] of Object.entries(FACADES)) {
    const folder = join(modules, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: TFJS, main: 'index.js' }));
    writeFileSync(join(folder, 'index.js'), code);
  }
}
