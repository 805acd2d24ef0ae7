/** One card at one moment, out of one row of the CSV. */
import { type AbsentReason, readPlaceholder } from './absent.ts';
import { FIELD_KEYS, FIELDS, type FieldKey, type FieldValue } from './fields.ts';
import { type Header, splitCells } from './header.ts';

export type GpuValues = { readonly [K in FieldKey]: FieldValue<K> | null };

export interface GpuSample {
  /** When the row was read, milliseconds of the reader's clock. */
  readonly atMs: number;
  readonly values: GpuValues;
  /** Why a value is null, for each that is. */
  readonly absent: Readonly<Partial<Record<FieldKey, AbsentReason>>>;
}

/** Null: the line is no row of this header (a sentence, a line that was cut, garbage). */
export function readRow(header: Header, line: string, atMs: number): GpuSample | null {
  const cells = splitCells(line);
  if (cells.length !== header.columns) return null;
  const values: Record<string, number | string | boolean | null> = {};
  const absent: Partial<Record<FieldKey, AbsentReason>> = {};
  for (const key of FIELD_KEYS) {
    const place = header.places.get(key);
    const reading: Reading =
      place === undefined ? 'unknown-field' : readCell(key, place.unit, cells[place.column] ?? '');
    values[key] = typeof reading === 'string' ? null : reading.value;
    if (typeof reading === 'string') absent[key] = reading;
  }
  const sample = { atMs, values: values as GpuValues, absent };
  return isCard(sample) ? sample : null;
}

/** A row of a lost card may have lost its UUID; its place on the bus tells which one it is. */
function isCard({ values }: GpuSample): boolean {
  if (values.uuid !== null) return /^(GPU|MIG)-/.test(values.uuid);
  return values.index !== null || values.busId !== null;
}

type Reading = AbsentReason | { readonly value: number | string | boolean };

function readCell(key: FieldKey, headerUnit: string | null, text: string): Reading {
  const placeholder = readPlaceholder(text);
  if (placeholder !== null) return placeholder;
  const field = FIELDS[key];
  if (field.kind === 'text') return { value: text };
  if (field.kind === 'switch') return readSwitch(text);
  if (field.kind === 'mask') return /^0x[0-9a-fA-F]+$/.test(text) ? { value: Number(text) } : 'unreadable';
  return readNumber(text, headerUnit, 'unit' in field ? field.unit : null);
}

function readSwitch(text: string): Reading {
  if (text === 'Enabled' || text === 'Yes' || text === 'Active') return { value: true };
  if (text === 'Disabled' || text === 'No' || text === 'Not Active') return { value: false };
  return 'unreadable';
}

/** A number in another unit than the one in the field's name is not taken for it. */
function readNumber(text: string, headerUnit: string | null, unit: string | null): Reading {
  const match = /^(-?\d+(?:\.\d+)?)(?: (\S+))?$/.exec(text);
  if (match === null) return 'unreadable';
  const said = match[2] ?? headerUnit;
  if (said !== null && said !== unit) return 'unreadable';
  return { value: Number(match[1]) };
}
