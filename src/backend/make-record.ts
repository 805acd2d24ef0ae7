/** What a backend says of itself: versions, where its parts are, the hashes of what was fetched and of what is loaded. */
import { readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { BackendRecord, Flavour } from '../installed-backend.ts';
import { BINDING_FILE } from './binding.ts';
import { type Building, PRODUCTS } from './building.ts';
import { type Download, hashOf } from './download.ts';
import { bytesBelow } from './growth.ts';
import { libraryFolders } from './nvidia-libraries.ts';
import { BINDING_PACKAGE, TFJS, type Wheel } from './pins.ts';
import { fetchedFor, productOf } from './products.ts';

/** Code and libraries; types, source maps and words are read by nobody here. */
const LOADED = /\.(?:c?js|json|node)$|\.so(?:\.|$)/;

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
  const folders = libraryFolders(building);
  const files: Record<string, string> = {};
  const sizes: Record<string, number> = {};
  for (const name of filesToHash(building, folders)) {
    files[name] = await hashOf(building.path(name));
    sizes[name] = statSync(building.path(name)).size;
  }
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
    libraryFolders: folders,
    wheels: wheels.flatMap((wheel) => fetchedFor(building, productOf(wheel)).map(withoutFile)),
    packages: fetchedFor(building, PRODUCTS.packages).map(withoutFile),
    files,
    sizes,
    // Without what goes before it is published.
    bytes: bytesBelow(building.folder) - bytesBelow(building.path(PRODUCTS.libraries, 'include')),
  };
}

/** What a trainer may load, by its path within the folder: code, libraries, the binding; headers go before it is published. */
function filesToHash(building: Building, folders: readonly string[]): string[] {
  return [PRODUCTS.packages, PRODUCTS.binding, join(PRODUCTS.libraries, 'lib'), ...folders].flatMap((top) =>
    readdirSync(building.path(top), { recursive: true, withFileTypes: true })
      // Not the links: they lead to one of these.
      .filter((entry) => entry.isFile() && LOADED.test(entry.name))
      .map((entry) => relative(building.folder, join(entry.parentPath, entry.name)))
      .sort(),
  );
}

function withoutFile({ name, version, sha256, bytes }: Download): Omit<Download, 'file'> {
  return { name, version, sha256, bytes };
}
