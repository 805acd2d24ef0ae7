/**
 * A configuration file with all that it extends, as layers: its bases before itself, in the order in which they are
 * named, each file once; then the profile, with the profiles that it extends before itself, each in the order of files.
 */
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { NkatError } from '../errors.ts';
import { type FilePlace, placeText, refuseProblems } from './file-problems.ts';
import { type FileSections, type Reference, readSections } from './file-sections.ts';
import { readFileText } from './file-text.ts';
import type { SettingLayer } from './layers.ts';
import { nearestWord } from './nearest.ts';
import { parseFile } from './yaml-file.ts';

/** More is a mistake, or a trap. */
const MOST_FILES = 64;

export interface ProfileChoice {
  readonly name: string;
  /** As the person wrote it: `--profile`, `NKAT_PROFILE`. */
  readonly where: string;
}

export interface FileLayers {
  /** Lowest first. */
  readonly layers: readonly SettingLayer[];
  /** Every file that was read, lowest first. */
  readonly files: readonly string[];
}

interface LoadedFile {
  readonly path: string;
  readonly sections: FileSections;
}

/**
 * @param path absolute path of the file
 * @param namedAt what named it; null: it was found
 * @throws NkatError `configuration`, naming file, line, value and what is accepted; `io` when the disk fails
 */
export async function fileLayers(
  path: string,
  namedAt: string | null,
  profile: ProfileChoice | null,
): Promise<FileLayers> {
  const loaded = new Map<string, LoadedFile>();
  await load(path, namedAt, [], loaded);
  const files = [...loaded.values()];
  const layers: SettingLayer[] = files.map(({ sections }) => ({
    name: 'file',
    profile: null,
    written: sections.written,
  }));
  if (profile !== null) layers.push(...profileLayers(path, files, profile));
  return { layers, files: files.map((file) => file.path) };
}

/** Depth first, so that `loaded` holds what is extended before what extends it. */
async function load(
  path: string,
  namedAt: string | null,
  chain: readonly string[],
  loaded: Map<string, LoadedFile>,
): Promise<void> {
  if (chain.includes(path)) {
    const circle = [...chain.slice(chain.indexOf(path)), path].join(' extends ');
    throw refusal(`a file cannot extend itself: ${circle} (${namedAt})`, path, 'Take one of them out of the circle.');
  }
  if (loaded.has(path)) return;
  if (loaded.size + chain.length >= MOST_FILES) {
    throw refusal(`it extends more than ${MOST_FILES} files`, path, 'Put settings together into fewer files.');
  }
  const sections = readSections(path, await parseFile(path, readFileText(path, namedAt)));
  refuseProblems(path, sections.problems);
  for (const { name, place } of sections.extends) {
    await load(pathOf(name, path), placeText(place), [...chain, path], loaded);
  }
  loaded.set(path, { path, sections });
}

function pathOf(name: string, from: string): string {
  return name.startsWith('~/') ? join(homedir(), name.slice(2)) : resolve(dirname(from), name);
}

function profileLayers(path: string, files: readonly LoadedFile[], { name, where }: ProfileChoice): SettingLayer[] {
  const layers: SettingLayer[] = [];
  const taken = new Set<string>();
  const take = (profile: string, chain: readonly string[], place: FilePlace | null): void => {
    const namedAt = place === null ? where : placeText(place);
    if (chain.includes(profile)) {
      const circle = [...chain.slice(chain.indexOf(profile)), profile].join(' extends ');
      throw refusal(`a profile cannot extend itself: ${circle} (${namedAt})`, path, 'Take one of them out.');
    }
    if (taken.has(profile)) return;
    const sections = files.flatMap((file) => file.sections.profiles.get(profile) ?? []);
    if (sections.length === 0) throw unknownProfile(path, files, profile, namedAt);
    const bases: readonly Reference[] = sections.flatMap((section) => section.extends);
    for (const base of bases) take(base.name, [...chain, profile], base.place);
    taken.add(profile);
    layers.push(...sections.map(({ written }) => ({ name: 'file', profile, written }) as const));
  };
  take(name, [], null);
  return layers;
}

function unknownProfile(path: string, files: readonly LoadedFile[], profile: string, namedAt: string): NkatError {
  const known = [...new Set(files.flatMap(({ sections }) => [...sections.profiles.keys()]))];
  const nearest = nearestWord(profile, known);
  const meant = nearest === null ? '' : `; did you mean ${nearest}?`;
  const all = known.length === 0 ? 'The file has no profiles.' : `Known profiles: ${known.join(', ')}.`;
  return refusal(`there is no profile ${JSON.stringify(profile)}, named by ${namedAt}${meant}`, path, all);
}

function refusal(message: string, path: string, hint: string): NkatError {
  return new NkatError(message, { code: 'configuration', operation: 'read the configuration', path, hint });
}
