/** `backend install`: from nothing to a backend that has trained a step, in steps that each leave a whole product. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { currentBootId } from '../checkpoint/boot-identity.ts';
import { NkatError } from '../errors.ts';
import {
  type BackendRecord,
  backendsFolder,
  type Flavour,
  type InstalledBackend,
  installedBackends,
  RECORD_FILE,
} from '../installed-backend.ts';
import { aboutBytes } from '../units.ts';
import { Building, PRODUCTS } from './building.ts';
import { checkBackend, type WorkingBackend } from './check.ts';
import { bytesBelow } from './growth.ts';
import { makeRecord } from './make-record.ts';
import { type NpmPackage, TFJS, type Wheel } from './pins.ts';
import { discardLeftovers, LOG_FILE, makeProducts } from './products.ts';
import type { RunProgram } from './program.ts';
import type { InstallProgress } from './progress.ts';
import { removeBackends } from './remove.ts';
import { findTools } from './tools.ts';
import { buildingName } from './unfinished.ts';

export interface InstallRequest {
  readonly home: { readonly directory: string };
  readonly flavour: Flavour;
  readonly tensorflow: string;
  readonly packages: readonly NpmPackage[];
  readonly wheels: readonly Wheel[];
  /** Free space without which it does not begin. */
  readonly neededBytes: number;
  readonly nodeDirectory: string | null;
  readonly environment: NodeJS.ProcessEnv;
  readonly execPath: string;
  /** The program `worker/tfjs/check-native.js`. */
  readonly checkScript: string;
  readonly platform: { readonly os: NodeJS.Platform; readonly arch: string };
  readonly now: () => Date;
  readonly run: RunProgram;
  readonly tell: (progress: InstallProgress) => void;
}

export interface InstallReport {
  /** True: it was there already, and was only checked. */
  readonly present: boolean;
  readonly installed: InstalledBackend;
  readonly check: WorkingBackend;
}

const OPERATION = 'install the native backend';

/**
 * The caller holds the right to build in this home.
 *
 * @throws NkatError for whatever is missing, cannot be fetched, or does not work in the end; what is whole by then is kept, and
 * the next call goes on after it
 */
export async function installBackend(request: InstallRequest): Promise<InstallReport> {
  const { home, flavour, tensorflow, platform, environment, execPath, run, tell } = request;
  if (platform.os !== 'linux' || platform.arch !== 'x64') {
    throw new NkatError(`it is built for Linux on x64, and this is ${platform.os} on ${platform.arch}`, {
      code: 'backend-platform',
      operation: OPERATION,
    });
  }
  const checking = { execPath, script: request.checkScript, environment, run };
  const present = installedBackends(home).find(
    ({ record }) => record.flavour === flavour && record.tensorflow === tensorflow && record.tfjs === TFJS,
  );
  if (present !== undefined) {
    tell({ stage: 'check', what: `TensorFlow ${tensorflow}`, bytes: null, totalBytes: null });
    const check = await checkBackend(present, { ...checking, log: null });
    if (check.status === 'works') {
      // Of an installation that another one has overtaken.
      removeBackends(backendsFolder(home), (name) => name === `${flavour}-${tensorflow}`);
      return { present: true, installed: present, check };
    }
  }
  const tools = await findTools({ environment, execPath, nodeDirectory: request.nodeDirectory, cwd: '/', run });
  const root = backendsFolder(home);
  const folder = join(root, buildingName(flavour, tensorflow));
  const building = openBuilding(folder);
  requireSpace(root, request.neededBytes - bytesBelow(folder));
  await makeProducts(building, tools, request);
  tell({ stage: 'check', what: `TensorFlow ${tensorflow}`, bytes: null, totalBytes: null });
  const installed = { folder, record: await makeRecord(building, request) };
  // Under a name with a dot nobody takes it, but for this check.
  writeFileSync(building.path(RECORD_FILE), JSON.stringify(installed.record, null, 2));
  const check = await checkBackend(installed, { ...checking, log: building.path(LOG_FILE) });
  if (check.status === 'broken') {
    // The downloads had the right hashes; what was compiled here is in doubt.
    building.discard(PRODUCTS.binding);
    throw new NkatError(`what was built does not work: ${check.reason}`, {
      code: 'backend-broken',
      operation: OPERATION,
      path: building.path(LOG_FILE),
      hint: 'The log tells more; the same line again compiles it anew.',
    });
  }
  discardLeftovers(building);
  const name = `${flavour}-${tensorflow}-${randomBytes(4).toString('hex')}`;
  await publish(building, installed.record, join(root, name));
  for (const old of installedBackends(home)) {
    const isOld = old.record.flavour === flavour && old.folder !== join(root, name);
    if (isOld) rmSync(old.folder, { recursive: true, force: true });
  }
  return { present: false, installed: { ...installed, folder: join(root, name) }, check };
}

/** Its files reach the disk before its name does: a power cut leaves a whole backend or none. */
async function publish(building: Building, record: BackendRecord, target: string): Promise<void> {
  for (const name of [...Object.keys(record.files), RECORD_FILE]) sync(building.path(name));
  renameSync(building.folder, target);
  sync(dirname(target));
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A folder of an earlier boot may hold files whose ends never reached the disk. */
function openBuilding(folder: string): Building {
  const boot = currentBootId() ?? '';
  let building = new Building(folder);
  if (building.has('boot') && readFileSync(building.path('boot'), 'utf8') !== boot) {
    rmSync(folder, { recursive: true, force: true });
    building = new Building(folder);
  }
  writeFileSync(building.path('boot'), boot);
  return building;
}

function requireSpace(folder: string, needed: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= needed) return;
  throw new NkatError(`it needs ${aboutBytes(needed)} for a while, and ${aboutBytes(free)} are free`, {
    code: 'no-space',
    operation: OPERATION,
    path: folder,
    hint: 'Make room, or let NKAT_HOME name a folder on a larger disk.',
  });
}
