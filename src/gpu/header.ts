/** The first line of the CSV: which column holds which field. Drivers put their own name for a column there, whatever was asked. */
import { FIELD_KEYS, FIELDS, type FieldKey } from './fields.ts';

export interface Header {
  readonly columns: number;
  readonly places: ReadonlyMap<FieldKey, Place>;
}

interface Place {
  readonly column: number;
  /** `MiB` of `memory.used [MiB]`; null: the header names none. */
  readonly unit: string | null;
}

/** nvidia-smi quotes nothing; no value that is asked here holds a comma. */
export function splitCells(line: string): string[] {
  return line.split(',').map((cell) => cell.trim());
}

/** Null: the line is no header. A header names at least the card's identity. */
export function readHeader(line: string): Header | null {
  const cells = splitCells(line).map(nameAndUnit);
  const names = cells.map(({ name }) => name);
  const places = new Map<FieldKey, Place>();
  for (const key of FIELD_KEYS) {
    const wanted: readonly string[] = FIELDS[key].names;
    const name = wanted.find((each) => names.includes(each));
    if (name === undefined) continue;
    const column = names.indexOf(name);
    places.set(key, { column, unit: cells[column]?.unit ?? null });
  }
  return places.has('uuid') && places.has('index') ? { columns: cells.length, places } : null;
}

function nameAndUnit(cell: string): { name: string; unit: string | null } {
  const match = /^(\S+) \[([^\]]+)\]$/.exec(cell);
  return match === null ? { name: cell, unit: null } : { name: match[1] ?? '', unit: match[2] ?? null };
}
