/**
 * What `node --import` gets before a trainer: it announces the process, makes TypeScript run and lets a trainer import
 * `nkat-recover/*` and `@tensorflow/*` from wherever it lies. Runs in every thread that inherits the flag.
 */
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { guardOutput } from './output-guard.ts';
import { announceProcess } from './preload/announce.ts';
import { installHooks } from './preload/install.ts';

if (isMainThread) {
  guardOutput();
  announceProcess(process.env.NKAT_PID_FILE);
  // `fork` hands this preload and the environment on: a child of the trainer must not announce itself as the worker.
  delete process.env.NKAT_PID_FILE;
}
process.setSourceMapsEnabled(true);

const anchor = fileURLToPath(import.meta.url);
installHooks({
  anchor,
  // dist/worker/preload.js
  root: dirname(dirname(dirname(anchor))),
  trainer: process.argv[1] === undefined ? process.cwd() : dirname(resolve(process.argv[1])),
});
