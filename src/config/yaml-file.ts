/** The one place that knows the YAML library: from text to a tree of plain values that know their places. */
import type { Node } from 'yaml';
import type { FilePlace, FileProblem } from './file-problems.ts';

type YamlLibrary = typeof import('yaml');

export interface Entry {
  readonly key: string;
  readonly place: FilePlace;
  readonly value: Value;
}

export interface Scalar {
  readonly kind: 'scalar';
  readonly scalar: string | number | boolean;
  /** As it was written. */
  readonly source: string;
  readonly place: FilePlace;
}

export type Value =
  | Scalar
  | { readonly kind: 'mapping'; readonly entries: readonly Entry[]; readonly place: FilePlace }
  | { readonly kind: 'list'; readonly items: readonly Value[]; readonly place: FilePlace }
  | { readonly kind: 'nothing'; readonly place: FilePlace };

export interface ParsedFile {
  readonly content: Value;
  readonly problems: readonly FileProblem[];
}

/** Our files are four levels deep; what is deeper is cut off and refused. */
const DEEPEST = 6;

/** What the library says in words for implementers, in words for a person. */
const WORDS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'a tab indents this line; YAML wants spaces',
  MULTIPLE_DOCS: 'a second document begins here; one file is one document',
  BLOCK_AS_IMPLICIT_KEY: 'a second colon in this line; put the value in quotes',
  TAG_RESOLVE_FAILED: 'tags (!) are not used here; write the plain value',
  UNEXPECTED_TOKEN: 'this cannot stand here: is a quote or a bracket missing, or there once too often?',
  RESOURCE_EXHAUSTION: 'it is nested too deeply',
};
const NO_ALIASES = 'aliases (*) are not used here; write the value out, or use profiles';

/** Parses YAML 1.2, of which JSON is a part. Loads the library, so it is called only where there is a file. */
export async function parseFile(path: string, text: string): Promise<ParsedFile> {
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  // Duplicate keys are ours to find: the library compares each key with each.
  const options = {
    lineCounter: lines,
    uniqueKeys: false,
    prettyErrors: false,
    schema: 'core',
    version: '1.2',
  } as const;
  const document = yaml.parseDocument(text, options);
  const at = (offset: number): FilePlace => {
    const { line, col } = lines.linePos(offset);
    return { file: path, line: Math.max(1, line), column: Math.max(1, col) };
  };
  // Errors after the first are mostly its echoes.
  const [complaint] = [...document.errors, ...document.warnings];
  if (complaint === undefined) return readTree(document.contents, yaml, at);
  const problem = { place: at(complaint.pos[0]), text: WORDS[complaint.code] ?? complaint.message };
  return { content: { kind: 'nothing', place: at(0) }, problems: [problem] };
}

function readTree(root: Node | null, yaml: YamlLibrary, at: (offset: number) => FilePlace): ParsedFile {
  const problems: FileProblem[] = [];
  const refuse = (place: FilePlace, why: string): null => {
    problems.push({ place, text: why });
    return null;
  };
  const read = (node: unknown, parent: FilePlace, depth: number): Value | null => {
    const place = yaml.isNode(node) && node.range ? at(node.range[0]) : parent;
    if (node === null || node === undefined) return { kind: 'nothing', place };
    if (depth > DEEPEST) return refuse(place, 'it is nested too deeply');
    if (yaml.isAlias(node)) return refuse(place, NO_ALIASES);
    if (yaml.isSeq(node)) {
      return { kind: 'list', place, items: present(node.items.map((item) => read(item, place, depth + 1))) };
    }
    if (yaml.isMap(node)) {
      return { kind: 'mapping', place, entries: present(node.items.map((pair) => readEntry(pair, place, depth))) };
    }
    if (!yaml.isScalar(node)) return refuse(place, 'this is no value that can stand here');
    const { value, source = String(value) } = node;
    if (value === null) return { kind: 'nothing', place };
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      return { kind: 'scalar', scalar: value, source, place };
    }
    return refuse(place, 'this is no value that can stand here');
  };
  const readEntry = (pair: { key: unknown; value: unknown }, parent: FilePlace, depth: number): Entry | null => {
    const key = read(pair.key, parent, depth + 1);
    if (key === null) return null;
    if (key.kind !== 'scalar') return refuse(key.place, 'a key is a word');
    const value = read(pair.value, key.place, depth + 1);
    return value === null ? null : { key: String(key.scalar), place: key.place, value };
  };
  return { content: read(root, at(0), 0) ?? { kind: 'nothing', place: at(0) }, problems };
}

function present<T>(values: readonly (T | null)[]): T[] {
  return values.filter((value) => value !== null);
}
