/** Compiles the N-API binding of tfjs-node-gpu against the headers and libraries of a TensorFlow wheel. */
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { failedProgram } from './failed-program.ts';
import type { RunProgram } from './program.ts';
import type { Tools } from './tools.ts';
import { clearWorkPlace, makeWorkPlace } from './work-place.ts';

/** N-API version 8: Node 12.22 and all that we run on. */
const NAPI = 8;
export const BINDING_FILE = `napi-v${NAPI}/tfjs_binding.node`;

export interface Compilation {
  /** The unpacked package, with `binding.gyp` and `binding/`. */
  readonly source: string;
  /** `include/` and `lib/` of TensorFlow. */
  readonly libraries: string;
  /** Gets {@link BINDING_FILE}; two folders above it `deps/lib` has to stand, by which the binding finds its libraries. */
  readonly folder: string;
  /** The folder of the whole installation. */
  readonly building: string;
  /** Part of a folder's name that no earlier process used. */
  readonly unique: string;
  readonly tools: Tools;
  readonly execPath: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: string;
  readonly run: RunProgram;
}

/** @throws NkatError `backend-broken` where it does not compile, `no-space` */
export async function compileBinding(compilation: Compilation): Promise<void> {
  const { source, libraries, folder, building, unique, tools, execPath, environment, log, run } = compilation;
  const work = makeWorkPlace(folder, building, unique);
  try {
    for (const name of ['binding.gyp', 'binding', 'package.json']) {
      cpSync(join(source, name), join(work, name), { recursive: true });
    }
    // By names of ours, which make can read whatever the folders are called.
    symlinkSync(libraries, join(work, 'deps'));
    symlinkSync(resolve(tools.nodeDirectory), join(work, 'node'));
    const temporary = join(work, 'tmp');
    mkdirSync(temporary);
    const end = await run({
      file: execPath,
      args: [
        tools.nodeGyp,
        'rebuild',
        '--jobs=2',
        `--nodedir=${join(work, 'node')}`,
        `--python=${tools.python}`,
        '--module_name=tfjs_binding',
        `--module_path=${join(work, `napi-v${NAPI}`)}`,
        `--napi_version=${NAPI}`,
        `--napi_build_version=${NAPI}`,
      ],
      cwd: work,
      // What a compiler that was killed leaves goes with the rest.
      environment: { ...environment, TMPDIR: temporary },
      log,
    });
    if (end.code !== 0) {
      const operation = 'compile the native backend';
      throw failedProgram(end, { program: 'node-gyp', operation, otherwise: 'backend-broken', log });
    }
    cpSync(join(work, BINDING_FILE), join(folder, BINDING_FILE));
  } finally {
    rmSync(work, { recursive: true, force: true });
    clearWorkPlace(building);
  }
}
