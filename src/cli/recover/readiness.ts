/** Whether all that a session needs is there yet: after a boot its disks may come later than we. */
import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import type { SessionFile } from '../../checkpoint/types.ts';
import { gpuIndices } from '../../drill/inject/gpus.ts';
import { errnoOf, NkatError } from '../../errors.ts';
import { stateHome } from '../../home.ts';
import { UpsClient } from '../../power/ups-client.ts';
import { parseUps } from '../../ups-address.ts';
import type { LocatedSession } from '../located-session.ts';
import { ownSettings } from '../own-settings.ts';
import { settingPlaceOf } from '../setting-place.ts';

export interface NotReady {
  /** 74: where its checkpoints are; 78: what it trains with. */
  readonly code: 'store-missing' | 'configuration';
  readonly path: string;
  readonly message: string;
}

/** Null: it can be started. */
export function whatIsMissing({ row, layout, file }: LocatedSession): NotReady | null {
  if (!isDirectory(layout.directory) || file === null) {
    const message = 'its checkpoints are not there: is their disk mounted?';
    return { code: 'store-missing', path: layout.directory, message };
  }
  const { cwd, trainer } = file.identity;
  if (!isDirectory(cwd)) {
    return { code: 'configuration', path: cwd, message: 'the folder that it was started in is not there' };
  }
  if (!isReadable(trainer)) return { code: 'configuration', path: row.trainer, message: 'its trainer is not there' };
  return null;
}

/**
 * Null: it needs no GPU, or there is one. After a boot the driver may come later than we, and a trainer that needs a card would end
 * at once. One that merely likes a card is told of by its own supervisor.
 */
export async function cardMissing(
  { file }: LocatedSession,
  environment: NodeJS.ProcessEnv,
  ask = gpuIndices,
): Promise<NotReady | null> {
  if (file === null) return null;
  const own = { ...environment, ...file.launch?.environment };
  if (!(await requiresGpu(file, own))) return null;
  const cards = await ask(own);
  if (cards.length > 0) return null;
  return { code: 'configuration', path: 'nvidia-smi', message: 'it needs a GPU, and none answers' };
}

/** As its own start will read it, the configuration file with it; one that cannot be read is told of by that start. */
async function requiresGpu({ identity, launch }: SessionFile, environment: NodeJS.ProcessEnv): Promise<boolean> {
  const flags = launch?.noConfig === true ? { config: false as const } : {};
  const sources = { environment, cwd: identity.cwd, home: stateHome(environment) };
  try {
    return (await ownSettings(flags, sources, settingPlaceOf(identity))).settings.requireGpu;
  } catch (error) {
    if (error instanceof NkatError) return false;
    throw error;
  }
}

/** Null: it has no UPS, or that is on line. What cannot be heard keeps nobody from training: it is watched on. */
export async function batteryOf({ file }: LocatedSession): Promise<{ ups: string; message: string } | null> {
  const ups = file?.launch?.environment.NKAT_UPS;
  const address = ups === undefined ? null : parseUps(ups);
  if (ups === undefined || address === null) return null;
  const client = new UpsClient(address);
  const report = await client.ask();
  client.close();
  if (report.kind === 'silent' || !report.words.some((word) => word === 'OB' || word === 'FSD')) return null;
  return { ups, message: `the UPS is not on line (${report.words.join(' ')})` };
}

/** In words, where its disk has too little room for two more checkpoints like the last; null: it has. */
export function roomWarning({ layout }: LocatedSession, lastBytes: number | null): string | null {
  if (lastBytes === null) return null;
  try {
    const { bavail, bsize } = statfsSync(layout.directory);
    return bavail * bsize >= 2 * lastBytes ? null : `the disk of ${layout.directory} has little room for checkpoints`;
  } catch (error) {
    // It went away meanwhile: the start will say so.
    if (errnoOf(error) === null) throw error;
    return null;
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return false;
  }
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return false;
  }
}
