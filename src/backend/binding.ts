/** Compiles the N-API binding of tfjs-node-gpu against the headers and libraries of a TensorFlow wheel. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failedProgram } from './failed-program.ts';
import type { RunProgram } from './program.ts';
import type { Tools } from './tools.ts';

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
  readonly tools: Tools;
  readonly execPath: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: string;
  readonly run: RunProgram;
}

/** @throws NkatError `backend-broken` where it does not compile, `no-space` */
export async function compileBinding(compilation: Compilation): Promise<void> {
  const { source, libraries, folder, tools, execPath, environment, log, run } = compilation;
  // make knows no way to write a space in a path.
  const place = /\s/.test(folder) ? mkdtempSync(join(tmpdir(), 'nkat-binding-')) : folder;
  const work = join(place, 'work');
  try {
    mkdirSync(work);
    for (const name of ['binding.gyp', 'binding', 'package.json']) {
      cpSync(join(source, name), join(work, name), { recursive: true });
    }
    symlinkSync(libraries, join(work, 'deps'));
    const end = await run({
      file: execPath,
      args: [
        tools.nodeGyp,
        'rebuild',
        '--jobs=2',
        `--nodedir=${tools.nodeDirectory}`,
        `--python=${tools.python}`,
        '--module_name=tfjs_binding',
        `--module_path=${join(work, `napi-v${NAPI}`)}`,
        `--napi_version=${NAPI}`,
        `--napi_build_version=${NAPI}`,
      ],
      cwd: work,
      environment,
      log,
    });
    if (end.code !== 0) {
      const operation = 'compile the native backend';
      throw failedProgram(end, { program: 'node-gyp', operation, otherwise: 'backend-broken', log });
    }
    cpSync(join(work, BINDING_FILE), join(folder, BINDING_FILE));
  } finally {
    rmSync(place === folder ? work : place, { recursive: true, force: true });
  }
}
