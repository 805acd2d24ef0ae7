/** Trainers that a test writes itself. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { temporaryDirectory } from '../../rig/temporary-directory.ts';

/** What they import `connect` from. */
export const SDK = pathToFileURL(fileURLToPath(new URL('../../../dist/worker/index.js', import.meta.url))).href;

/** @returns the path of the script, in a folder of its own */
export function writeTrainer(source: string): string {
  const script = join(temporaryDirectory(), 'trainer.mjs');
  writeFileSync(script, source);
  return script;
}
