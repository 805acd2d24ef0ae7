import { expect, it } from 'vitest';
import { GpuWatch } from '../../src/gpu/gpu-watch.ts';
import type { GpuSample } from '../../src/gpu/sample.ts';
import { smiCommand } from '../../src/gpu/smi-command.ts';
import type { SmiTrouble } from '../../src/gpu/smi-trouble.ts';
import { FakeSmi, type Scene } from '../rig/fake-smi.ts';
import { atTestEnd } from '../rig/test-end.ts';
import { waitFor } from '../rig/wait-for.ts';

const CARD: Scene = { cards: [{ model: 'rtx3080' }] };

/** For what has to look stuck soon. Such a test may see one more that looks so on a busy machine. */
const QUICK_MS = 100;

interface Watched {
  readonly watch: GpuWatch;
  readonly samples: GpuSample[];
  readonly troubles: (SmiTrouble | null)[];
  last(): GpuSample | undefined;
}

/** Long enough that a busy machine does not make a program look stuck. */
function watching(fake: FakeSmi, periodMs = 2_000): Watched {
  const samples: GpuSample[] = [];
  const troubles: (SmiTrouble | null)[] = [];
  const watch = new GpuWatch({
    command: fake.command,
    periodMs,
    ears: { sample: (sample) => samples.push(sample), trouble: (trouble) => troubles.push(trouble) },
  });
  atTestEnd(() => watch.close());
  return { watch, samples, troubles, last: () => samples.at(-1) };
}

const kinds = ({ troubles }: Watched): (string | null)[] => troubles.map((trouble) => trouble?.kind ?? null);

it.concurrent('gives rows of all cards from one process, and ends it when it is closed', async () => {
  const fake = await FakeSmi.start({
    cards: [{ model: 'rtx3080' }, { model: 'rtx3080', values: { 'temperature.gpu': '71' } }],
  });
  const watched = watching(fake, 500);
  await waitFor('several rows of both cards', () => watched.samples.length >= 6);
  expect(watched.samples.slice(0, 2).map(({ values }) => values.temperatureC)).toEqual([54, 71]);
  expect(fake.calls.map(({ args }) => args[0]?.split('=')[0])).toEqual(['--help-query-gpu', '--query-gpu']);
  expect(watched.troubles).toEqual([]);
  watched.watch.close();
  await waitFor('its process to be gone', () => fake.watching.length === 0);
});

it.concurrent('asks a driver for the names that it knows, and only once', async () => {
  const fake = await FakeSmi.start({ cards: [{ model: 'gtx1070ti' }] });
  const watched = watching(fake);
  const { values, absent } = await waitFor('a row', () => watched.last());
  expect(fake.calls).toHaveLength(2);
  expect(fake.calls[1]?.args[0]).toContain('clocks_throttle_reasons.active');
  expect(fake.calls[1]?.args[0]).not.toContain('tlimit');
  expect(values).toMatchObject({ clockReasons: 0, powerW: 141.9, temperatureMarginC: null, migMode: null });
  expect(absent).toMatchObject({
    temperatureMarginC: 'unknown-field',
    eccMode: 'not-supported',
    migMode: 'unknown-field',
  });
});

it.concurrent('drops a field that the driver refuses although it lists it, each once', async () => {
  const lacks = ['temperature.gpu.tlimit', 'gpu_recovery_action'];
  const fake = await FakeSmi.start({ ...CARD, lacks, helpLies: true });
  const watched = watching(fake);
  const { values, absent } = await waitFor('a row', () => watched.last());
  expect(values.temperatureC).toBe(54);
  expect(absent).toMatchObject({ temperatureMarginC: 'unknown-field', recoveryAction: 'unknown-field' });
  expect(fake.calls).toHaveLength(4);
  expect(watched.troubles).toEqual([]);
});

it.concurrent('does without the list of fields', async () => {
  const fake = await FakeSmi.start({ ...CARD, noHelp: true, lacks: ['power.draw', 'clocks_event_reasons.active'] });
  const watched = watching(fake);
  const { values } = await waitFor('a row', () => watched.last());
  expect(values).toMatchObject({ powerW: 287.4, clockReasons: 0 });
});

it.concurrent('finds a silent nvidia-smi stuck, kills it and starts another', async () => {
  const fake = await FakeSmi.start(CARD);
  const watched = watching(fake, QUICK_MS);
  await waitFor('a row', () => watched.last());
  const [first = 0] = fake.watching;
  fake.set({ ...CARD, silent: true });
  await waitFor('the finding', () => kinds(watched).includes('stuck'));
  await waitFor('the silent one to be gone', () => !fake.watching.includes(first));
  fake.set(CARD);
  await waitFor('it to work again', () => kinds(watched).includes(null));
  expect(kinds(watched).slice(0, 2)).toEqual(['stuck', null]);
});

it.concurrent('kills one that was stopped, and never waits for it', async () => {
  const fake = await FakeSmi.start(CARD);
  const watched = watching(fake, QUICK_MS);
  await waitFor('a row', () => watched.last());
  const [first = 0] = fake.watching;
  process.kill(first, 'SIGSTOP');
  await waitFor('another one that gives rows', () => kinds(watched).includes(null));
  expect(fake.watching).not.toContain(first);
});

it.concurrent.each([
  [
    15,
    'Unable to determine the device handle for GPU0000:01:00.0: GPU is lost.  Reboot the system to recover this GPU',
    'card-lost',
  ],
  [18, 'Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 595.71', 'driver-mismatch'],
] as const)('names exit code %i in mid-run, with its words on stdout, and tries again', async (code, text, kind) => {
  const fake = await FakeSmi.start(CARD);
  const watched = watching(fake);
  await waitFor('a row', () => watched.last());
  fake.set({ ...CARD, exit: { code, text } });
  await waitFor('the finding', () => kinds(watched)[0] === kind);
  fake.set(CARD);
  await waitFor('rows again', () => kinds(watched).at(-1) === null);
  expect(kinds(watched)).toEqual([kind, null]);
});

it.concurrent('says once that it fails, however often it fails', async () => {
  const fake = await FakeSmi.start({
    ...CARD,
    exit: { code: 255, text: 'Failed to initialize NVML: Unknown Error', stream: 'stderr' },
  });
  const watched = watching(fake);
  await waitFor('three children', () => fake.calls.length >= 4);
  expect(watched.troubles).toEqual([
    { kind: 'failed', words: 'nvidia-smi ended with 255: Failed to initialize NVML: Unknown Error', hint: null },
  ]);
});

it.concurrent('takes no row for the words with which it ends', async () => {
  const fake = await FakeSmi.start(CARD);
  const watched = watching(fake, 500);
  await waitFor('rows', () => watched.samples.length >= 2);
  fake.set({ ...CARD, exit: { code: 1 } });
  await waitFor('the finding', () => watched.troubles[0]);
  expect(watched.troubles[0]).toEqual({ kind: 'failed', words: 'nvidia-smi ended with 1', hint: null });
});

it.concurrent('reads a row that comes in pieces, and no row of what is none', async () => {
  const fake = await FakeSmi.start({ ...CARD, silent: true });
  const watched = watching(fake, 60_000);
  const query = await waitFor('its child', () => fake.calls.find(({ args }) => args.includes('-lms'))?.args[0]);
  const names = query.slice('--query-gpu='.length).split(',');
  const row = names.map((name) => ({ index: '0', uuid: 'GPU-1', 'temperature.gpu': '66' })[name] ?? '[N/A]').join(', ');
  fake.say('WARNING: infoROM is corrupted at gpu 0000:01:00.0\n');
  fake.say(`${row.slice(0, row.length - 9)}\n`);
  fake.say(`${'x'.repeat(10_000)}\n\n`);
  fake.say(row.slice(0, 11));
  fake.say(`${row.slice(11)}\n${row.replace('66', '67')}\n`);
  await waitFor('both rows', () => watched.samples.length === 2);
  expect(watched.samples.map(({ values }) => values.temperatureC)).toEqual([66, 67]);
});

it.concurrent('takes garbage for no row, and a program that gives nothing else for stuck', async () => {
  const fake = await FakeSmi.start(CARD);
  const watched = watching(fake, QUICK_MS);
  await waitFor('a row', () => watched.last());
  fake.set({ ...CARD, garbage: '\u0000\u0001, , ,' });
  const before = watched.samples.length;
  await waitFor('the finding', () => kinds(watched).includes('stuck'));
  expect(watched.samples.length).toBeLessThanOrEqual(before + 2);
});

it.concurrent('waits for a slow start', async () => {
  const fake = await FakeSmi.start({ ...CARD, startDelayMs: 1_500 });
  const watched = watching(fake);
  await waitFor('a row', () => watched.last());
  expect(watched.troubles).toEqual([]);
});

it.concurrent('says once that there is no nvidia-smi, and runs nothing any more', async () => {
  const troubles: (SmiTrouble | null)[] = [];
  const command = smiCommand({ PATH: '/nowhere', NKAT_NVIDIA_SMI: '' });
  const ears = { sample: () => undefined, trouble: (trouble: SmiTrouble | null) => troubles.push(trouble) };
  const watch = new GpuWatch({ command, periodMs: 10, ears });
  await waitFor('the end of it', () => watch.kind === 'absent');
  expect(troubles).toEqual([
    { kind: 'missing', words: 'there is no nvidia-smi on this machine: no card is watched', hint: null },
  ]);
  watch.close();
});
