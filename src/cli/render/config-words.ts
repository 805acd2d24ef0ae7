/** The settings of a run, each with its origin, for a person and for programs. */
import { relative } from 'node:path';
import type { EffectiveSetting, SettingOrigin } from '../../config/effective.ts';
import type { OwnSettings } from '../own-settings.ts';
import type { Paint } from './paint.ts';
import { type Column, tableLines } from './table.ts';
import { printable } from './width.ts';

export interface ShownSettings {
  readonly own: Pick<OwnSettings, 'file' | 'files' | 'passedOver' | 'outside' | 'profile' | 'slips'>;
  readonly settings: readonly EffectiveSetting[];
  /** Files are shown relative to it, where that is shorter. */
  readonly cwd: string;
}

interface Row {
  readonly setting: string;
  readonly value: string;
  readonly origin: string;
  readonly written: boolean;
}

/** @param all also what is overridden, each below what overrides it */
export function configLines(shown: ShownSettings, all: boolean, width: number | null, paint: Paint): string[] {
  const rows = shown.settings.flatMap((setting) => rowsOf(setting, shown.cwd, all));
  const [header = '', ...lines] = tableLines(COLUMNS, rows, width);
  const painted = lines.map((text, index) => (rows[index]?.written === true ? text : paint(text, 'faint')));
  return [...fileLines(shown, paint), '', paint(header, 'faint'), ...painted];
}

function fileLines({ own, cwd }: ShownSettings, paint: Paint): string[] {
  const outside = own.outside.map((file) =>
    paint(`  does not count, since it is above the trainer's project: ${near(file, cwd)}; --config names it`, 'faint'),
  );
  if (own.file === null) return ['No configuration file counts here.', ...outside];
  const profile = own.profile === null ? '' : `, profile ${printable(own.profile)}`;
  const bases = own.files.filter((file) => file !== own.file).map((file) => `  extends ${near(file, cwd)}`);
  const passed = own.passedOver.map((file) =>
    paint(`  passed over, since a nearer one counts: ${near(file, cwd)}`, 'faint'),
  );
  return [`Configuration: ${near(own.file, cwd)}${profile}`, ...bases, ...passed, ...outside];
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'SETTING', cell: ({ setting }) => setting, worth: 100 },
  { title: 'VALUE', cell: ({ value }) => value, shrinkTo: 12, worth: 90 },
  { title: 'FROM', cell: ({ origin }) => origin, shrinkTo: 16, worth: 80 },
];

function rowsOf({ key, text, origin, overridden }: EffectiveSetting, cwd: string, all: boolean): Row[] {
  const row = { setting: key, value: text, origin: originText(origin, cwd), written: origin.layer !== 'default' };
  if (!all) return [row];
  return [
    row,
    ...overridden.map((under) => ({
      setting: '  overridden',
      value: under.text,
      origin: originText(under, cwd),
      written: false,
    })),
  ];
}

function originText({ layer, where, place, profile }: SettingOrigin, cwd: string): string {
  if (place === null) return layer === 'default' ? 'default' : (where ?? layer);
  const key = `${near(place.file, cwd)}:${place.line}`;
  return profile === null ? key : `${key}, profile ${profile}`;
}

function near(file: string, cwd: string): string {
  const short = relative(cwd, file);
  return printable(short.length > 0 && short.length < file.length ? short : file);
}

/** The contract of `config --json`: durations in ms, sizes in bytes, shares from 0 to 1, null for off. */
export function configJson({ own, settings }: ShownSettings): object {
  return {
    version: 1,
    file: own.file,
    files: own.files,
    passedOver: own.passedOver,
    outside: own.outside,
    profile: own.profile,
    warnings: own.slips.map(({ name, nearest }) => ({ variable: name, nearest })),
    settings: settings.map(({ key, value, text, origin, overridden }) => ({
      key,
      value,
      text,
      ...originJson(origin),
      overridden: overridden.map((under) => ({ text: under.text, ...originJson(under) })),
    })),
  };
}

function originJson({ layer, where, place, profile }: SettingOrigin): object {
  return {
    layer,
    where,
    file: place?.file ?? null,
    line: place?.line ?? null,
    column: place?.column ?? null,
    profile,
  };
}
