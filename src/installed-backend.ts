/**
 * The native tfjs backends that `nkat-recover backend install` has put into the state home: what supervisors, workers and
 * the command itself must agree on.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { errnoOf } from './errors.ts';
import { type StateHome, stateHome } from './home.ts';
import { type Infer, Invalid, integer, list, oneOf, optional, read, record, stored, string } from './schema.ts';

/** Best first. */
export const FLAVOURS = ['cuda12', 'cpu'] as const;
export type Flavour = (typeof FLAVOURS)[number];

/** The folder of one backend (that of an installation which is under way too), or `off`. */
export const BACKEND_VARIABLE = 'NKAT_BACKEND';
/** Written last into a backend's folder: without it there is none. */
export const RECORD_FILE = 'backend.json';
const FORMAT = 1;

const text = string(4096);
const download = stored({ name: text, version: text, sha256: string(64), bytes: integer(0) });
const recordSchema = stored({
  format: integer(FORMAT, FORMAT),
  flavour: oneOf(FLAVOURS),
  tfjs: text,
  tensorflow: text,
  /** Node and its platform at the time of the build; the binding is N-API and serves later ones too. */
  node: text,
  platform: text,
  installedAt: text,
  /** Paths within the folder. */
  entry: text,
  binding: text,
  /** Folders of NVIDIA's libraries, for the loader's path of a worker. */
  libraryFolders: list(text, 0, 64),
  wheels: list(download, 1, 64),
  packages: list(download, 1, 64),
  /** SHA-256 by path within the folder, of what is loaded. */
  files: record(string(64), 4096),
  /** Bytes of each of these; missing in records of our first versions. */
  sizes: optional(record(integer(0), 4096)),
  bytes: integer(0),
});
export type BackendRecord = Infer<typeof recordSchema>;

export interface InstalledBackend {
  readonly folder: string;
  readonly record: BackendRecord;
}

/** Where backends live: each in a folder of its own. */
export function backendsFolder(home: Pick<StateHome, 'directory'>): string {
  return join(home.directory, 'backends');
}

/** Every whole backend, best first: `cuda12` before `cpu`, then the newest. What is damaged or of a later format is none. */
export function installedBackends(home: Pick<StateHome, 'directory'>): InstalledBackend[] {
  const folder = backendsFolder(home);
  const found = namesIn(folder).flatMap((name) => {
    const installed = name.startsWith('.') ? null : readBackend(join(folder, name));
    return installed === null ? [] : [installed];
  });
  const rank = ({ record }: InstalledBackend): number => FLAVOURS.indexOf(record.flavour);
  return found.sort((a, b) => rank(a) - rank(b) || (a.record.installedAt < b.record.installedAt ? 1 : -1));
}

/** Folders that bear a backend's name and hold no record that we understand: cut off, damaged, or of a later version of ours. */
export function unreadableBackends(home: Pick<StateHome, 'directory'>): string[] {
  const folder = backendsFolder(home);
  return namesIn(folder)
    .filter((name) => FLAVOURS.some((flavour) => name.startsWith(`${flavour}-`)))
    .map((name) => join(folder, name))
    .filter((each) => readBackend(each) === null)
    .sort();
}

/** The backend that a worker with this environment tries first; null: none. */
export function chosenBackend(environment: NodeJS.ProcessEnv): InstalledBackend | null {
  return chosenBackends(environment)[0] ?? null;
}

/** All that a worker with this environment may take, best first: one that is broken gives way to the next. */
export function chosenBackends(environment: NodeJS.ProcessEnv): InstalledBackend[] {
  const named = environment[BACKEND_VARIABLE];
  if (named === 'off') return [];
  if (!named) return installedBackends(stateHome(environment));
  const only = readBackend(isAbsolute(named) ? named : resolve(named));
  return only === null ? [] : [only];
}

/**
 * The first file that is missing or has another size than it was installed with; null: none. A library that was cut short is
 * mapped all the same, and ends the process with SIGBUS where it is touched.
 */
export function cutFile({ folder, record }: InstalledBackend): string | null {
  const isWhole = ([name, bytes]: [string, number]): boolean =>
    statSync(join(folder, name), { throwIfNoEntry: false })?.size === bytes;
  return Object.entries(record.sizes ?? {}).find((each) => !isWhole(each))?.[0] ?? null;
}

export interface UnreadableBackend {
  /** By the name of its folder; null: it was named by a person. */
  readonly flavour: Flavour | null;
  readonly reason: string;
}

/** What a worker with this environment would look at and cannot read. */
export function unreadableReasons(environment: NodeJS.ProcessEnv): UnreadableBackend[] {
  const named = environment[BACKEND_VARIABLE];
  if (named === 'off') return [];
  if (named) {
    if (chosenBackend(environment) !== null) return [];
    return [{ flavour: null, reason: `${BACKEND_VARIABLE} names ${named}, where no backend can be read` }];
  }
  return unreadableBackends(stateHome(environment)).map((folder) => ({
    flavour: FLAVOURS.find((each) => basename(folder).startsWith(`${each}-`)) ?? null,
    reason: `its ${RECORD_FILE} in ${folder} cannot be read`,
  }));
}

/** Null: there is none in this folder, or none that we understand. */
export function readBackend(folder: string): InstalledBackend | null {
  try {
    const record = read(recordSchema, JSON.parse(readFileSync(join(folder, RECORD_FILE), 'utf8')));
    return record instanceof Invalid ? null : { folder, record };
  } catch (error) {
    if (error instanceof SyntaxError || errnoOf(error) !== null) return null;
    throw error;
  }
}

/** What lies in the folder of all backends; nothing where it cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return [];
  }
}
