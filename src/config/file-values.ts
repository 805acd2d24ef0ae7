/**
 * From a value in a file to the text that the setting's schema reads: numbers and words as they are, booleans for
 * switches (and `false` for `off`), a list for exit codes. So a value means the same in a file, a variable and a flag.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { definitionOf, PATH_KEYS, type SettingKey } from './definitions.ts';
import { settingSchemas } from './schema.ts';
import type { Scalar, Value } from './yaml-file.ts';

const LIST_KEYS: readonly SettingKey[] = ['noRestartCodes'];

/** @returns the text, or null: the value means nothing to this setting */
export function settingText(key: SettingKey, value: Value): string | null {
  return candidateTexts(key, value).find((text) => settingSchemas[key].safeParse(text).success) ?? null;
}

/** Completes "accepted is ...". */
export function acceptedBy(key: SettingKey): string {
  return LIST_KEYS.includes(key) ? `${definitionOf(key).accepts}, or a list of them` : definitionOf(key).accepts;
}

function candidateTexts(key: SettingKey, value: Value): string[] {
  switch (value.kind) {
    case 'scalar':
      return scalarTexts(key, value);
    case 'list':
      return LIST_KEYS.includes(key) ? listTexts(value.items) : [];
    case 'mapping':
    case 'nothing':
      return [];
  }
}

function scalarTexts(key: SettingKey, { scalar, source }: Scalar): string[] {
  const isPath = PATH_KEYS.includes(key);
  if (typeof scalar === 'string') return [isPath ? withoutTilde(scalar) : scalar];
  // As written first: a folder may well be called 007. Then in plain digits, of 1e3 and 0x10.
  if (typeof scalar === 'number') return [source, String(scalar)];
  return isPath ? [] : [String(scalar), scalar ? 'on' : 'off'];
}

function listTexts(items: readonly Value[]): string[] {
  const codes = items.flatMap((item) => (item.kind === 'scalar' ? [String(item.scalar)] : []));
  if (codes.length < items.length) return [];
  return [codes.length === 0 ? 'off' : codes.join(',')];
}

/** Shells do this for flags; nobody does it for a file. */
function withoutTilde(path: string): string {
  if (path === '~') return homedir();
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}
