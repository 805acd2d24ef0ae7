/** The programs and headers that an installation needs, looked for before anything is fetched. */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ErrorCode, NkatError } from '../errors.ts';
import { findProgram, type SearchPlace } from '../executable.ts';
import type { RunProgram } from './program.ts';

export interface Tools {
  readonly python: string;
  readonly npm: string;
  /** The script of npm's own node-gyp: whoever has npm has it, and no other command of ours needs its 60 packages. */
  readonly nodeGyp: string;
  /** Folder with `include/node/node_api.h`. */
  readonly nodeDirectory: string;
}

export interface ToolSearch {
  readonly environment: NodeJS.ProcessEnv;
  /** Of the Node that runs us. */
  readonly execPath: string;
  /** Given by the operator; null: found. */
  readonly nodeDirectory: string | null;
  readonly cwd: string;
  readonly run: RunProgram;
}

const OPERATION = 'install the native backend';
const PYTHONS = ['python3', 'python'];
const COMPILERS = ['g++', 'c++', 'clang++'];

/** @throws NkatError `python-missing`, `pip-missing`, `npm-missing`, `compiler-missing`, `node-headers-missing` */
export async function findTools(search: ToolSearch): Promise<Tools> {
  const { environment } = search;
  const place = placeOf(environment);
  const python = await findPython(search);
  const npm = findProgram('npm', place) ?? refuse('npm-missing', 'there is no npm on the PATH');
  const nodeGyp = findNodeGyp(npm);
  for (const [names, what] of [
    [environment.CXX ? [environment.CXX.split(' ')[0] ?? '', ...COMPILERS] : COMPILERS, 'C++ compiler'],
    [environment.MAKE ? [environment.MAKE, 'make'] : ['make', 'gmake'], 'make'],
  ] as const) {
    if (!names.some((name) => findProgram(name, place) !== null)) {
      refuse('compiler-missing', `there is no ${what} on the PATH (looked for ${names.join(', ')})`);
    }
  }
  return { python, npm, nodeGyp, nodeDirectory: findHeaders(search) };
}

function placeOf({ PATH: path }: NodeJS.ProcessEnv): SearchPlace {
  return { path, cwd: process.cwd() };
}

async function findPython({ environment, cwd, run }: ToolSearch): Promise<string> {
  const asked = { cwd, environment, log: null, timeoutMs: 60_000 };
  const found = PYTHONS.flatMap((name) => findProgram(name, placeOf(environment)) ?? []);
  for (const file of found) {
    const version = await run({ ...asked, file, args: ['-c', 'import sys; print(sys.version_info[0])'] });
    if (version.code !== 0 || version.stdout.trim() !== '3') continue;
    const pip = await run({ ...asked, file, args: ['-m', 'pip', '--version'] });
    if (pip.code === 0) return file;
    refuse('pip-missing', `${file} has no pip: ${pip.tail.at(-1) ?? ''}`);
  }
  return refuse(
    'python-missing',
    found.length === 0 ? 'there is no python3 on the PATH' : `${found.join(' and ')} is no Python 3 that works`,
  );
}

/** Beside npm, whether that is a link into its package or stands in it. */
function findNodeGyp(npm: string): string {
  const real = realpathSync(npm);
  const script = join('node-gyp', 'bin', 'node-gyp.js');
  const places = [
    // lib/node_modules/npm/bin/npm-cli.js
    join(dirname(dirname(real)), 'node_modules', script),
    join(dirname(dirname(real)), 'lib', 'node_modules', 'npm', 'node_modules', script),
    join('/usr/share/nodejs', script),
    join('/usr/share/node_modules', script),
  ];
  return places.find((path) => existsSync(path)) ?? refuse('npm-missing', `npm at ${real} brings no node-gyp`);
}

function findHeaders({ execPath, nodeDirectory, environment }: ToolSearch): string {
  const prefix = dirname(dirname(realpathSync(execPath)));
  const given = nodeDirectory ?? environment.npm_config_nodedir;
  const places = given ? [given] : [prefix, '/usr'];
  const found = places.find((place) => existsSync(join(place, 'include', 'node', 'node_api.h')));
  if (found !== undefined) return found;
  throw new NkatError(
    `Node ${process.versions.node} at ${execPath} has no headers: ${places.join(' and ')} lack include/node/node_api.h`,
    {
      code: 'node-headers-missing',
      operation: OPERATION,
      hint:
        'Take the Node of nodejs.org, which brings them (Debian, Ubuntu: apt-get install libnode-dev for their own Node), ' +
        'or name a folder that has them with --nodedir.',
    },
  );
}

function refuse(code: ErrorCode, message: string): never {
  throw new NkatError(message, { code, operation: OPERATION });
}
