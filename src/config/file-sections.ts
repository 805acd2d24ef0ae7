/** What one configuration file says: its settings, what it extends, and its profiles. */
import { dirname } from 'node:path';
import { SETTING_KEYS, type SettingKey } from './definitions.ts';
import { GROUP_NAMES, GROUPS, type Group, NAMES_IN_GROUP, settingNames } from './file-keys.ts';
import { type FilePlace, type FileProblem, SHOWN_PROBLEMS } from './file-problems.ts';
import { acceptedBy, settingText } from './file-values.ts';
import type { WrittenSetting } from './layers.ts';
import { nearestWord } from './nearest.ts';
import type { Entry, ParsedFile, Scalar, Value } from './yaml-file.ts';

export interface Reference {
  /** A path of a file, or the name of a profile. */
  readonly name: string;
  readonly place: FilePlace;
}

export interface Section {
  readonly written: readonly WrittenSetting[];
  readonly extends: readonly Reference[];
}

export interface FileSections extends Section {
  readonly profiles: ReadonlyMap<string, Section>;
  readonly problems: readonly FileProblem[];
}

/** Reads a parsed file; every value is checked, also those of profiles that nobody asked for. */
export function readSections(path: string, { content, problems }: ParsedFile): FileSections {
  return new SectionReader(path, problems).file(content);
}

class SectionReader {
  readonly #base: string;
  readonly #problems: FileProblem[];
  readonly #names = settingNames();

  constructor(path: string, problems: readonly FileProblem[]) {
    this.#base = dirname(path);
    this.#problems = [...problems];
  }

  file(content: Value): FileSections {
    const profiles = new Map<string, Section>();
    const entries = this.#entriesOf(content, 'a configuration file');
    const own = entries.filter(({ key }) => key !== 'profiles');
    const top = this.#section(own, ['extends', 'profiles']);
    const declared = entries.filter(({ key }) => key === 'profiles');
    this.#refuseRepeated(declared, 'profiles');
    for (const { value } of declared) {
      for (const { key, place, value: body } of this.#entriesOf(value, 'profiles')) {
        if (profiles.has(key)) this.#refuse(place, `profile ${quoted(key)} is written twice`);
        profiles.set(key, this.#section(this.#entriesOf(body, `profile ${quoted(key)}`), ['extends']));
      }
    }
    return { ...top, profiles, problems: this.#problems };
  }

  #section(entries: readonly Entry[], words: readonly string[]): Section {
    const written = new Map<SettingKey, WrittenSetting>();
    const references = entries.filter(({ key }) => key === 'extends');
    this.#refuseRepeated(references, 'extends');
    const groups = new Map<Group, Entry>();
    for (const entry of entries) {
      const group = GROUP_NAMES.find((name) => name === entry.key);
      if (entry.key === 'extends') continue;
      if (group === undefined) {
        this.#setting(entry, null, [...words, ...GROUP_NAMES], written);
        continue;
      }
      if (groups.has(group)) this.#refuse(entry.place, `${group} is written twice; put both parts together`);
      groups.set(group, entry);
      for (const inner of this.#entriesOf(entry.value, group)) this.#setting(inner, group, [], written);
    }
    return {
      written: [...written.values()],
      extends: references.flatMap(({ value }) => this.#references(value)),
    };
  }

  #setting(
    entry: Entry,
    group: Group | null,
    words: readonly string[],
    written: Map<SettingKey, WrittenSetting>,
  ): void {
    const { key: name, place, value } = entry;
    const key = (group === null ? undefined : NAMES_IN_GROUP[group]?.get(name)) ?? this.#names.get(name);
    const text = key === undefined ? null : settingText(key, value);
    const earlier = key === undefined ? undefined : written.get(key);
    if (key === undefined) {
      this.#refuse(place, this.#unknownWords(name, group, words));
    } else if (group !== null && !GROUPS[group].includes(key)) {
      this.#refuse(place, `${name} does not belong under ${group}; write it at the top`);
    } else if (earlier !== undefined) {
      const where = earlier.place === null ? '' : ` in line ${earlier.place.line}`;
      this.#refuse(place, `${name} is written twice: already${where}, as ${earlier.where}`);
    } else if (text === null) {
      this.#refuse(
        value.kind === 'nothing' ? place : value.place,
        `${name} ${isWhat(value)}; accepted is ${acceptedBy(key)}`,
      );
    } else {
      written.set(key, { key, text, where: name, base: this.#base, place });
    }
  }

  #unknownWords(name: string, group: Group | null, words: readonly string[]): string {
    // In a file of another kind every line is unknown, and looking for the nearest key takes its time.
    if (this.#problems.length > SHOWN_PROBLEMS) return `unknown key ${quoted(name)}`;
    const known = group === null ? this.#names : [...this.#names].filter(([, key]) => GROUPS[group].includes(key));
    const nearest = nearestWord(name, [...words, ...[...known].map(([spelling]) => spelling)]);
    const all = group === null ? [...words, ...SETTING_KEYS] : GROUPS[group];
    if (nearest !== null) return `unknown key ${quoted(name)}; did you mean ${nearest}?`;
    return `unknown key ${quoted(name)}; known ${group === null ? '' : 'here '}are ${all.join(', ')}`;
  }

  #references(value: Value): Reference[] {
    const items = value.kind === 'list' ? value.items : [value];
    return items.flatMap((item) => {
      if (item.kind === 'scalar' && typeof item.scalar === 'string' && item.scalar.trim() !== '') {
        return [{ name: item.scalar, place: item.place }];
      }
      this.#refuse(item.place, `extends ${isWhat(item)}; accepted is a name, or a list of names, each a text`);
      return [];
    });
  }

  /** An empty group or file says nothing, which is what a person means who has commented it all out. */
  #entriesOf(value: Value, what: string): readonly Entry[] {
    if (value.kind === 'mapping') return value.entries;
    if (value.kind !== 'nothing')
      this.#refuse(value.place, `${what} ${isWhat(value)}; accepted are lines of "key: value"`);
    return [];
  }

  #refuseRepeated(entries: readonly Entry[], name: string): void {
    for (const { place } of entries.slice(1)) this.#refuse(place, `${name} is written twice; put both parts together`);
  }

  #refuse(place: FilePlace, text: string): void {
    this.#problems.push({ place, text });
  }
}

function isWhat(value: Value): string {
  switch (value.kind) {
    case 'scalar':
      return `is ${scalarText(value)}`;
    case 'list':
      return listText(value.items);
    case 'mapping':
      return 'is a group of keys';
    case 'nothing':
      return 'has no value';
  }
}

function listText(items: readonly Value[]): string {
  const texts = items.map((item) => (item.kind === 'scalar' ? scalarText(item) : null));
  const text = texts.join(', ');
  return texts.includes(null) || text.length > 60 ? 'is a list' : `is the list [${text}]`;
}

function scalarText({ scalar, source }: Scalar): string {
  return typeof scalar === 'string' ? quoted(scalar) : quoted(source).slice(1, -1);
}

/** On one line, and not longer than a line. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}
