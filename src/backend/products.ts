/** The products of an installation, in the order in which they are made: packages, wheels, the binding. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../make-directory.ts';
import { compileBinding } from './binding.ts';
import { type Building, PRODUCTS } from './building.ts';
import { type Download, fetchPackage, fetchWheel } from './download.ts';
import { writeFacades } from './facades.ts';
import { whileGrowing } from './growth.ts';
import { layOutLibraries } from './nvidia-libraries.ts';
import { BINDING_PACKAGE, type NpmPackage, TFJS, type Wheel } from './pins.ts';
import type { RunProgram } from './program.ts';
import type { InstallProgress } from './progress.ts';
import type { Tools } from './tools.ts';
import { unpack } from './unpack.ts';

export interface ProductRequest {
  readonly packages: readonly NpmPackage[];
  readonly wheels: readonly Wheel[];
  readonly environment: NodeJS.ProcessEnv;
  readonly execPath: string;
  readonly run: RunProgram;
  readonly tell: (progress: InstallProgress) => void;
}

export const LOG_FILE = 'install.log';
/** In each product that was fetched: what came, and its hash. */
const FETCHED_FILE = 'fetched.json';
/** Of TensorFlow's wheel: headers and the two libraries, nothing of its Python. */
const TENSORFLOW_RULES = [
  { prefix: 'tensorflow/include/', folder: 'include' },
  { prefix: 'tensorflow/libtensorflow_cc.so.2', folder: 'lib/libtensorflow_cc.so.2' },
  { prefix: 'tensorflow/libtensorflow_framework.so.2', folder: 'lib/libtensorflow_framework.so.2' },
];
const NVIDIA_RULES = [{ prefix: 'nvidia/', folder: '.' }];
/** The names that the linker and the loader look for. */
const LINKS = {
  'libtensorflow.so': 'libtensorflow_cc.so.2',
  'libtensorflow_framework.so': 'libtensorflow_framework.so.2',
};

/** Makes what is not there yet. */
export async function makeProducts(building: Building, tools: Tools, request: ProductRequest): Promise<void> {
  await makePackages(building, tools, request);
  for (const wheel of request.wheels) await addWheel(building, wheel, tools, request);
  layOutLibraries(building);
  await makeBinding(building, tools, request);
}

/** What a wheel becomes: TensorFlow's `deps`, each of NVIDIA's a folder in `nvidia`, with what was fetched for it. */
export function productOf({ name }: Wheel): string {
  return isNvidia(name) ? join(PRODUCTS.nvidia, name) : PRODUCTS.libraries;
}

/** What was fetched for a product that is there. */
export function fetchedFor(building: Building, product: string): Download[] {
  return JSON.parse(readFileSync(building.path(product, FETCHED_FILE), 'utf8')) as Download[];
}

/** What nothing needs once all is built: 108 MB of headers among it. */
export function discardLeftovers(building: Building): void {
  for (const name of [PRODUCTS.wheels, join(PRODUCTS.libraries, 'include'), 'boot']) building.discard(name);
}

async function makePackages(building: Building, tools: Tools, request: ProductRequest): Promise<void> {
  const common = commonOf(building, request);
  await building.make(PRODUCTS.packages, unique(), async (folder) => {
    request.tell({ stage: 'fetch', what: `${BINDING_PACKAGE} ${TFJS}`, bytes: null, totalBytes: null });
    const modules = join(folder, 'node_modules');
    const fetched: Download[] = [];
    for (const wanted of request.packages) {
      const tarballs = join(folder, 'tarball');
      const target = join(modules, wanted.name);
      makeDirectory(tarballs);
      makeDirectory(target);
      const download = await fetchPackage(tools.npm, wanted, { ...common, folder: tarballs });
      const source = join(tarballs, download.file);
      await unpack({ ...common, kind: 'package', source, target, rules: [], python: tools.python });
      rmSync(tarballs, { recursive: true });
      fetched.push(download);
    }
    writeFacades(modules);
    writeFetched(folder, fetched);
  });
}

/** A wheel is fetched, unpacked and thrown away; its hash stays with what came out of it. */
async function addWheel(building: Building, wheel: Wheel, tools: Tools, request: ProductRequest): Promise<void> {
  const common = commonOf(building, request);
  const { tell } = request;
  const what = `${wheel.name} ${wheel.version}`;
  const product = productOf(wheel);
  if (building.has(product)) return;
  const fetched = join(PRODUCTS.wheels, wheel.name);
  await building.make(fetched, unique(), async (folder) => {
    const progress = { stage: 'fetch', what, totalBytes: wheel.bytes } as const;
    tell({ ...progress, bytes: null });
    const fetching = fetchWheel(tools.python, wheel, { ...common, folder });
    writeFetched(folder, [await whileGrowing(folder, (bytes) => tell({ ...progress, bytes }), fetching)]);
  });
  const downloads = fetchedFor(building, fetched);
  await building.make(product, unique(), async (folder) => {
    const progress = { stage: 'unpack', what, totalBytes: null } as const;
    tell({ ...progress, bytes: null });
    const rules = isNvidia(wheel.name) ? NVIDIA_RULES : TENSORFLOW_RULES;
    for (const { file } of downloads) {
      const source = building.path(fetched, file);
      const unpacking = unpack({ ...common, kind: 'wheel', source, target: folder, rules, python: tools.python });
      await whileGrowing(folder, (bytes) => tell({ ...progress, bytes }), unpacking);
    }
    if (!isNvidia(wheel.name)) addLinks(join(folder, 'lib'));
    writeFetched(folder, downloads);
  });
  building.discard(fetched);
}

async function makeBinding(building: Building, tools: Tools, request: ProductRequest): Promise<void> {
  await building.make(PRODUCTS.binding, unique(), async (folder) => {
    request.tell({ stage: 'compile', what: 'the binding', bytes: null, totalBytes: null });
    await compileBinding({
      ...commonOf(building, request),
      source: building.path(PRODUCTS.packages, 'node_modules', BINDING_PACKAGE),
      libraries: building.path(PRODUCTS.libraries),
      folder,
      building: building.folder,
      unique: unique(),
      tools,
      execPath: request.execPath,
    });
  });
}

function addLinks(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [link, target] of Object.entries(LINKS)) symlinkSync(target, join(folder, link));
}

function commonOf(building: Building, { environment, run }: ProductRequest) {
  return { environment, run, log: building.path(LOG_FILE) };
}

function writeFetched(folder: string, fetched: readonly Download[]): void {
  writeFileSync(join(folder, FETCHED_FILE), JSON.stringify(fetched));
}

function isNvidia(name: string): boolean {
  return name.startsWith('nvidia-');
}

/** No earlier process may have used it: its children may live on. */
function unique(): string {
  return randomBytes(6).toString('hex');
}
