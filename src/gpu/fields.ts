/**
 * What is asked of a card, under every name that drivers have given it. The first name of a field that the driver knows is asked;
 * a field of which it knows none is left out. Source of the names: `nvidia-smi --help-query-gpu` of drivers 418 to 610.
 */

interface FieldForm {
  readonly kind: 'number' | 'text' | 'mask' | 'switch';
  /** Newest name first, where names mean the same. */
  readonly names: readonly string[];
  /** Of a number, as the header has it in brackets; missing: a plain number. */
  readonly unit?: 'W' | 'MHz' | 'MiB' | '%';
}

/** In the order in which they are asked. Keys carry the unit. */
export const FIELDS = {
  index: { kind: 'number', names: ['index'] },
  uuid: { kind: 'text', names: ['uuid', 'gpu_uuid'] },
  busId: { kind: 'text', names: ['pci.bus_id', 'gpu_bus_id'] },
  name: { kind: 'text', names: ['name', 'gpu_name'] },
  driverVersion: { kind: 'text', names: ['driver_version'] },
  temperatureC: { kind: 'number', names: ['temperature.gpu'] },
  /** Degrees left up to the card's own limit, on cards that report margins. */
  temperatureMarginC: { kind: 'number', names: ['temperature.gpu.tlimit'] },
  memoryTemperatureC: { kind: 'number', names: ['temperature.memory'] },
  utilizationPercent: { kind: 'number', unit: '%', names: ['utilization.gpu'] },
  memoryUtilizationPercent: { kind: 'number', unit: '%', names: ['utilization.memory'] },
  memoryTotalMib: { kind: 'number', unit: 'MiB', names: ['memory.total'] },
  memoryUsedMib: { kind: 'number', unit: 'MiB', names: ['memory.used'] },
  memoryFreeMib: { kind: 'number', unit: 'MiB', names: ['memory.free'] },
  /** Averaged over a second from Ampere on, the present value before. */
  powerW: { kind: 'number', unit: 'W', names: ['power.draw', 'power.draw.average', 'power.draw.instant'] },
  powerInstantW: { kind: 'number', unit: 'W', names: ['power.draw.instant', 'gpu.power.draw.instant'] },
  powerLimitW: {
    kind: 'number',
    unit: 'W',
    names: ['enforced.power.limit', 'gpu.power.current_limit', 'power.limit', 'gpu.power.requested_limit'],
  },
  /** Intended, not measured: a blocked fan still shows it. */
  fanPercent: { kind: 'number', unit: '%', names: ['fan.speed'] },
  clockMhz: { kind: 'number', unit: 'MHz', names: ['clocks.current.sm', 'clocks.sm'] },
  clockMaxMhz: { kind: 'number', unit: 'MHz', names: ['clocks.max.sm'] },
  clockReasons: { kind: 'mask', names: ['clocks_event_reasons.active', 'clocks_throttle_reasons.active'] },
  performanceState: { kind: 'text', names: ['pstate'] },
  persistenceMode: { kind: 'switch', names: ['persistence_mode'] },
  eccMode: { kind: 'switch', names: ['ecc.mode.current'] },
  eccUncorrected: { kind: 'number', names: ['ecc.errors.uncorrected.volatile.total'] },
  rowRemapFailed: { kind: 'switch', names: ['remapped_rows.failure'] },
  /** `None`, or what NVIDIA recommends to do before this card is used again. */
  recoveryAction: { kind: 'text', names: ['gpu_recovery_action'] },
  migMode: { kind: 'switch', names: ['mig.mode.current'] },
} as const satisfies Readonly<Record<string, FieldForm>>;

export type FieldKey = keyof typeof FIELDS;
export const FIELD_KEYS = Object.keys(FIELDS) as FieldKey[];

/** What the key's value is once it is read. */
export type FieldValue<K extends FieldKey> = (typeof FIELDS)[K]['kind'] extends 'number' | 'mask'
  ? number
  : (typeof FIELDS)[K]['kind'] extends 'switch'
    ? boolean
    : string;

/** A field that a driver does not know at all, under no name. */
export type Columns = readonly { readonly key: FieldKey; readonly name: string }[];

/** @param known null: the driver did not say what it knows, so every field is asked under its newest name that was not refused. */
export function chooseColumns(known: ReadonlySet<string> | null, refused: ReadonlySet<string>): Columns {
  return FIELD_KEYS.flatMap((key) => {
    const name = FIELDS[key].names.find((each) => !refused.has(each) && (known === null || known.has(each)));
    return name === undefined ? [] : [{ key, name }];
  });
}

/** Names that `nvidia-smi --help-query-gpu` lists, each in quotes at the start of a line; null: this is no such list. */
export function readKnownNames(help: string): Set<string> | null {
  const names = new Set<string>();
  for (const line of help.split(/\r?\n/)) {
    if (!line.startsWith('"')) continue;
    for (const [, name] of line.matchAll(/"([a-zA-Z0-9_.]+)"/g)) if (name !== undefined) names.add(name);
  }
  return names.has('index') && names.has('uuid') ? names : null;
}

/** What is printed, with exit code 2, for a name that the driver does not know. It names only the first of them. */
export function readRefusedName(line: string): string | null {
  return /^Field "([^"]+)" is not a valid field to query/.exec(line)?.[1] ?? null;
}
