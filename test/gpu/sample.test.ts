import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { faultsOf, keepRow, missingRow } from '../../src/gpu/card-book.ts';
import { clockReasonsOf } from '../../src/gpu/clock-reasons.ts';
import { chooseColumns, readKnownNames, readRefusedName } from '../../src/gpu/fields.ts';
import { type Header, readHeader } from '../../src/gpu/header.ts';
import { type GpuSample, readRow } from '../../src/gpu/sample.ts';

const HEADER = 'index, uuid, pci.bus_id, temperature.gpu, power.draw [W], memory.used [MiB], utilization.gpu [%]';

function header(line = HEADER): Header {
  const read = readHeader(line);
  if (read === null) throw new Error(`no header: ${line}`);
  return read;
}

function row(line: string, head = header()): GpuSample {
  const read = readRow(head, line, 5);
  if (read === null) throw new Error(`no row: ${line}`);
  return read;
}

describe('a row', () => {
  it('has values with the unit of their names, with and without units in the cells', () => {
    const expected = {
      index: 0,
      uuid: 'GPU-a',
      temperatureC: 61,
      powerW: 287.4,
      memoryUsedMib: 6180,
      utilizationPercent: 87,
    };
    expect(row('0, GPU-a, 0:1:0.0, 61, 287.40, 6180, 87').values).toMatchObject(expected);
    expect(row('0, GPU-a, 0:1:0.0, 61, 287.40 W, 6180 MiB, 87 %').values).toMatchObject(expected);
    expect(row('0, GPU-a, 0:1:0.0, 61, 287.40, 6180, 87').atMs).toBe(5);
  });

  it.each([
    ['[N/A]', 'not-available'],
    ['N/A', 'not-available'],
    ['[Not Supported]', 'not-supported'],
    ['[Function Not Found]', 'not-supported'],
    ['[Requested functionality has been deprecated]', 'deprecated'],
    ['[Insufficient Permissions]', 'no-permission'],
    ['[Unknown Error]', 'unknown-error'],
    ['[GPU is lost]', 'lost'],
    ['[GPU requires reset]', 'reset-required'],
    ['[A thing that nobody has seen yet]', 'unknown-error'],
    ['', 'unknown-error'],
    ['6x', 'unreadable'],
    ['1e3', 'unreadable'],
  ])('has null and a reason where the card says %s', (text, reason) => {
    const { values, absent } = row(`0, GPU-a, 0:1:0.0, 61, ${text}, 6180, 87`);
    expect(values.powerW).toBeNull();
    expect(absent.powerW).toBe(reason);
    expect(absent.temperatureC).toBeUndefined();
  });

  it('takes no number of another unit', () => {
    const { values, absent } = row('0, GPU-a, 0:1:0.0, 61, 287, 6 GiB, 87');
    expect([values.memoryUsedMib, absent.memoryUsedMib]).toEqual([null, 'unreadable']);
    const other = row('0, GPU-a, 6180', header('index, uuid, memory.used [KiB]'));
    expect([other.values.memoryUsedMib, other.absent.memoryUsedMib]).toEqual([null, 'unreadable']);
  });

  it.each([
    'No devices were found',
    '0, GPU-a, 0:1:0.0, 61, 287.40, 6180',
    '0, GPU-a, 0:1:0.0, 61, 287.40, 6180, 87, 5',
    'x, nonsense, y, 61, 287, 6180, 87',
    ', , , , , , ',
  ])('is not made of %s', (line) => {
    expect(readRow(header(), line, 0)).toBeNull();
  });
});

describe('a header', () => {
  it('is known under old and new names of the driver', () => {
    const head = header('index, gpu_uuid, clocks_throttle_reasons.active, clocks.sm [MHz]');
    expect(row('0, GPU-a, 0x0000000000000044, 1815', head).values).toMatchObject({
      clockReasons: 0x44,
      clockMhz: 1815,
    });
    expect(clockReasonsOf(0x44)).toEqual(['power-cap', 'hardware-thermal']);
  });

  it('is no sentence and no row', () => {
    expect(readHeader('No devices were found')).toBeNull();
    expect(readHeader('0, GPU-a, 0:1:0.0, 61, 287.40, 6180, 87')).toBeNull();
  });
});

describe('columns', () => {
  it('are asked under the newest name that the driver has', () => {
    const names = (known: readonly string[] | null, refused: readonly string[] = []): string[] =>
      chooseColumns(known === null ? null : new Set(known), new Set(refused)).map(({ name }) => name);
    expect(names(['index', 'uuid', 'clocks_throttle_reasons.active', 'power.draw.instant'])).toEqual([
      'index',
      'uuid',
      'power.draw.instant',
      'power.draw.instant',
      'clocks_throttle_reasons.active',
    ]);
    expect(names(null)).toContain('clocks_event_reasons.active');
    expect(names(null, ['clocks_event_reasons.active'])).toContain('clocks_throttle_reasons.active');
  });

  it('are read from the list of the driver, and from nothing else', () => {
    const list = '"index"\nIts "number".\n\n"uuid" or "gpu_uuid"\nfor "all"\n"memory.used"\r\n';
    expect([...(readKnownNames(list) ?? [])]).toEqual(['index', 'uuid', 'gpu_uuid', 'memory.used']);
    expect(readKnownNames('Invalid combination of input arguments.')).toBeNull();
    expect(readRefusedName('Field "foo.bar" is not a valid field to query.')).toBe('foo.bar');
    expect(readRefusedName('Field of gold')).toBeNull();
  });
});

describe('a card', () => {
  it('is known by its place when it no longer tells its UUID', () => {
    const first = keepRow([], row('0, GPU-a, 0:1:0.0, 61, 287, 6180, 87'));
    const second = keepRow(first.book, row('1, GPU-b, 0:2:0.0, 50, 287, 6180, 87'));
    const lost = row('1, [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost]');
    const third = keepRow(second.book, lost);
    expect(third.key).toBe('GPU-b');
    expect(third.book.map(({ key }) => key)).toEqual(['GPU-a', 'GPU-b']);
    expect(faultsOf(lost).map(({ kind }) => kind)).toEqual(['lost']);
    expect(keepRow([], lost).key).toBe('index:1');
  });

  it('has no fault by what is merely not told', () => {
    expect(faultsOf(row('0, GPU-a, [N/A], [N/A], [N/A], [Unknown Error], [N/A]'))).toEqual([]);
  });

  it('has the faults that it tells', () => {
    const head = header('index, uuid, gpu_recovery_action, remapped_rows.failure');
    expect(faultsOf(row('0, GPU-a, None, No', head))).toEqual([]);
    expect(faultsOf(row('0, GPU-a, Reset, Yes', head)).map(({ kind }) => kind)).toEqual([
      'recovery-action',
      'bad-memory',
    ]);
    expect(faultsOf(row('0, GPU-a, [GPU requires reset], No', head)).map(({ kind }) => kind)).toEqual([
      'reset-required',
    ]);
  });

  it('is missing when its rows no longer come', () => {
    const sample = row('0, GPU-a, 0:1:0.0, 61, 287, 6180, 87');
    expect(missingRow(sample, 5_004, 5_000)).toBeNull();
    expect(missingRow(sample, 5_005, 5_000)?.kind).toBe('row-missing');
  });
});

describe('cards of each kind', () => {
  const program = join(import.meta.dirname, '../../fixtures/fake-nvidia-smi/nvidia-smi.mjs');
  const ask = (model: string, names: readonly string[]): GpuSample => {
    const scene = join(import.meta.dirname, `../../fixtures/fake-nvidia-smi/scenes/${model}.json`);
    const options = { encoding: 'utf8', env: { ...process.env, FAKE_SMI_SCENE: scene } } as const;
    const { stdout } = spawnSync(program, [`--query-gpu=${names.join(',')}`, '--format=csv,nounits'], options);
    const [head = '', line = ''] = stdout.split('\n');
    return row(line, header(head));
  };
  const known = (model: string): Set<string> | null => {
    const scene = join(import.meta.dirname, `../../fixtures/fake-nvidia-smi/scenes/${model}.json`);
    const options = { encoding: 'utf8', env: { ...process.env, FAKE_SMI_SCENE: scene } } as const;
    return readKnownNames(spawnSync(program, ['--help-query-gpu'], options).stdout);
  };

  it.each([
    [
      'rtx3080',
      {
        memoryTotalMib: 10240,
        powerLimitW: 320,
        fanPercent: 46,
        temperatureMarginC: null,
        eccMode: null,
        migMode: null,
      },
    ],
    ['gtx1070ti', { memoryTotalMib: 8119, powerW: 141.9, eccUncorrected: null, clockReasons: 0, rowRemapFailed: null }],
    [
      't4',
      {
        memoryFreeMib: 5911,
        powerW: 66.5,
        fanPercent: null,
        eccMode: true,
        eccUncorrected: 0,
        memoryTemperatureC: null,
      },
    ],
    [
      'a100',
      { memoryTotalMib: 81920, memoryTemperatureC: 61, migMode: false, persistenceMode: true, recoveryAction: null },
    ],
    ['h100', { temperatureMarginC: 33, powerInstantW: 618.01, rowRemapFailed: false, recoveryAction: 'None' }],
    ['h100mig', { utilizationPercent: null, memoryUsedMib: 12050, migMode: true, temperatureMarginC: 40 }],
    ['rtx2080windows', { persistenceMode: null, memoryFreeMib: 2887, powerW: 208.3, performanceState: 'P2' }],
  ])('are read: %s', (model, values) => {
    const columns = chooseColumns(known(model), new Set());
    const sample = ask(
      model,
      columns.map(({ name }) => name),
    );
    expect(sample.values).toMatchObject(values);
    expect(Object.keys(sample.absent).toSorted()).toEqual(
      Object.entries(sample.values)
        .flatMap(([key, value]) => (value === null ? [key] : []))
        .toSorted(),
    );
  });
});

it('a card that was lost when it was first seen is the same one when it tells its UUID', () => {
  const lost = keepRow(
    [],
    row('0, [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost]'),
  );
  expect(lost.key).toBe('index:0');
  const other = keepRow(lost.book, row('1, GPU-b, 0:2:0.0, 50, 287, 6180, 87'));
  const back = keepRow(other.book, row('0, GPU-a, 0:1:0.0, 61, 287, 6180, 87'));
  expect(back.book.map(({ key }) => key)).toEqual(['GPU-a', 'GPU-b']);
});
