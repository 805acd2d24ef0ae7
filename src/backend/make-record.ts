/** What a backend says of itself: versions, where its parts are, the hashes of what was fetched and of what is loaded. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendRecord, Flavour } from '../installed-backend.ts';
import { BINDING_FILE } from './binding.ts';
import { type Building, PRODUCTS } from './building.ts';
import { type Download, hashOf } from './download.ts';
import { bytesBelow } from './growth.ts';
import { BINDING_PACKAGE, TFJS, type Wheel } from './pins.ts';
import { fetchedFor, productOf } from './products.ts';

export interface RecordFacts {
  readonly flavour: Flavour;
  readonly tensorflow: string;
  readonly wheels: readonly Wheel[];
  readonly platform: { readonly os: NodeJS.Platform; readonly arch: string };
  readonly now: () => Date;
}

/** The products are all there. */
export async function makeRecord(building: Building, facts: RecordFacts): Promise<BackendRecord> {
  const { flavour, tensorflow, wheels, platform, now } = facts;
  const binding = join(PRODUCTS.binding, BINDING_FILE);
  const entry = join(PRODUCTS.packages, 'node_modules', BINDING_PACKAGE, 'dist', 'index.js');
  const libraries = join(PRODUCTS.libraries, 'lib');
  const loaded = [
    binding,
    entry,
    join(libraries, 'libtensorflow_cc.so.2'),
    join(libraries, 'libtensorflow_framework.so.2'),
  ];
  const files: Record<string, string> = {};
  for (const name of loaded) files[name] = await hashOf(building.path(name));
  return {
    format: 1,
    flavour,
    tfjs: TFJS,
    tensorflow,
    node: process.versions.node,
    platform: `${platform.os}-${platform.arch}`,
    installedAt: now().toISOString(),
    entry,
    binding,
    libraryFolders: libraryFolders(building),
    wheels: wheels.flatMap((wheel) => fetchedFor(building, productOf(wheel)).map(withoutFile)),
    packages: fetchedFor(building, PRODUCTS.packages).map(withoutFile),
    files,
    // Without what goes before it is published.
    bytes: bytesBelow(building.folder) - bytesBelow(building.path(PRODUCTS.libraries, 'include')),
  };
}

/** NVIDIA's wheels hold theirs as `nvidia/<library>/lib`. */
function libraryFolders(building: Building): string[] {
  if (!building.has('nvidia')) return [];
  return readdirSync(building.path('nvidia')).flatMap((wheel) =>
    readdirSync(building.path('nvidia', wheel), { withFileTypes: true })
      .map(({ name }) => join('nvidia', wheel, name, 'lib'))
      .filter((folder) => existsSync(building.path(folder))),
  );
}

function withoutFile({ name, version, sha256, bytes }: Download): Omit<Download, 'file'> {
  return { name, version, sha256, bytes };
}
