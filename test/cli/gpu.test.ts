import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { gpuWords } from '../../src/cli/render/gpu-words.ts';
import { readXid } from '../../src/gpu/xid.ts';
import { FakeSmi, type Scene } from '../rig/fake-smi.ts';
import { atTestEnd } from '../rig/test-end.ts';
import { waitFor } from '../rig/wait-for.ts';
import { COMMAND, type Finished, World } from './world.ts';

async function look(scene: Scene, args: readonly string[] = []): Promise<Finished> {
  const fake = await FakeSmi.start(scene);
  return new World().cli(['gpu', ...args], fake.environment);
}

it.concurrent('shows each card: its limits, its load, its processes', async () => {
  const processes = [{ pid: 4242, name: '/usr/bin/python3', mib: 5200 }];
  const scene = {
    cards: [{ model: 'rtx3080', processes, values: { 'clocks_event_reasons.active': '0x24' } }, { model: 'h100' }],
  };
  const { code, stdout } = await look(scene);
  expect(stdout).toContain('GPU 0: NVIDIA GeForce RTX 3080 · driver 595.58.03 · CUDA up to 13.2');
  expect(stdout).toContain('temperature  54 C, holds 83, slows down at 95, off at 98');
  expect(stdout).toContain('memory       6180 of 10240 MiB (60 %)');
  expect(stdout).toContain('held back by power-cap, software-thermal');
  expect(stdout).toContain('process 4242     5200 MiB, /usr/bin/python3');
  expect(stdout).toContain('temperature  54 C, 33 C below its limit, memory 61 C');
  expect(code).toBe(0);
});

it.concurrent('tells a program the same, sizes in bytes, null with its reason', async () => {
  const { code, stdout } = await look({ cards: [{ model: 'h100mig' }] }, ['--json']);
  const { version, driverVersion, cards, troubles } = JSON.parse(stdout);
  expect([code, version, driverVersion, troubles]).toEqual([0, 1, '590.48.01', []]);
  expect(cards).toHaveLength(1);
  expect(cards[0]).toMatchObject({
    index: 0,
    memoryTotalBytes: 81559 * 1024 * 1024,
    utilizationPercent: null,
    absent: { utilizationPercent: 'not-available' },
    clockReasons: [],
    limits: { slowdownC: null, slowdownMarginC: -2, powerDefaultW: 700 },
    faults: [],
  });
});

it.concurrent('says which card is lost, and leaves with 69', async () => {
  const { code, stdout } = await look({ cards: [{ model: 'rtx3080' }, { model: 'rtx3080', gone: '[GPU is lost]' }] });
  expect(stdout).toContain('GPU 1: it is lost: it has fallen off the bus');
  expect(code).toBe(69);
});

it.concurrent('says what stands in the way of all of them, and what helps', async () => {
  const text = 'Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 595.71';
  const { code, stdout } = await look({ cards: [], exit: { code: 18, text } });
  expect(stdout).toContain('The NVIDIA driver was upgraded while it was in use');
  expect(stdout).toContain('Reboot');
  expect(code).toBe(69);
});

it.concurrent('is content on a machine without cards, or without nvidia-smi', async () => {
  expect(await look({ cards: [] })).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('nvidia-smi finds no card.'),
  });
  const nothing = await new World().cli(['gpu', '--json'], { NKAT_NVIDIA_SMI: '/nowhere/nvidia-smi' });
  expect(JSON.parse(nothing.stdout)).toMatchObject({ cards: [], troubles: [{ kind: 'missing' }] });
  expect(nothing.code).toBe(0);
});

it.concurrent('asks without the fields that a driver does not know', async () => {
  const { stdout } = await look({ cards: [{ model: 'gtx1070ti' }], noHelp: true }, ['--json']);
  expect(JSON.parse(stdout).cards[0]).toMatchObject({ name: 'GeForce GTX 1070 Ti', temperatureC: 54 });
});

it('shows the newest errors that the driver reported, with what helps', () => {
  const xids = [13, 31, 43, 45, 79, 119].map((number, at) => {
    const xid = readXid(`NVRM: Xid (PCI:0000:01:00): ${number}, pid=1, name=x`);
    if (xid === null) throw new Error('no Xid');
    return { ...xid, ageMs: (6 - at) * 60_000 };
  });
  const words = gpuWords({ cards: [], driverVersion: null, cudaVersion: null, troubles: [], xids }).map(
    ({ text }) => text,
  );
  expect(words[0]).toBe('The driver reported 6 errors since the machine was started:');
  expect(words).toContainEqual(expect.stringContaining('Xid 79 of 0000:01:00'));
  expect(words.find((each) => each.includes('Xid 79'))).toContain('the machine needs a reboot');
  expect(words.at(-1)).toBe('  and 1 older');
});

it.concurrent('draws one screen again and again on a terminal, until Ctrl-C', async () => {
  const fake = await FakeSmi.start({ cards: [{ model: 'rtx3080' }] });
  const world = new World();
  const script = [{ wait: 'Ctrl-C ends this', send: '\u0003' }];
  const { code, output } = await world.terminal(['gpu'], { script, environment: fake.environment });
  expect(output).toContain('\u001b[?1049h');
  // The screen is given back, and what was seen last stays.
  const [, after = ''] = output.split('\u001b[?1049l');
  expect(after).toContain('temperature  54 C');
  expect(code).toBe(0);
  await waitFor('its nvidia-smi to be gone', () => fake.living === 0);
});

it.concurrent('shows them once on a terminal where that is asked, or where there is no card', async () => {
  const fake = await FakeSmi.start({ cards: [{ model: 'rtx3080' }] });
  const world = new World();
  const once = await world.terminal(['gpu', '--once'], { environment: fake.environment });
  expect(once.output).not.toContain('\u001b[?1049h');
  const none = await world.terminal(['gpu'], { environment: { NKAT_NVIDIA_SMI: '/nowhere/nvidia-smi' } });
  expect([once.code, none.code]).toEqual([0, 0]);
  expect(none.output).toContain('There is no /nowhere/nvidia-smi');
  expect((await world.cli(['gpu', '--once', '--watch'])).code).toBe(64);
});

it.concurrent('streams JSON, a line a second, with what changed meanwhile', async () => {
  const fake = await FakeSmi.start({ cards: [{ model: 'rtx3080' }] });
  const world = new World();
  const environment = world.environment(fake.environment);
  const child = spawn(process.execPath, [COMMAND, 'gpu', '--json', '--watch'], { env: environment });
  atTestEnd(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  await waitFor('two lines', () => text.split('\n').length > 2 && fake.watching.length === 1);
  fake.set({ cards: [{ model: 'rtx3080', values: { 'temperature.gpu': '77' } }] });
  await waitFor('the new temperature', () => text.includes('"temperatureC":77'));
  child.kill('SIGINT');
  expect(await ended).toBe(0);
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { version: number });
  expect(lines.every(({ version }) => version === 1)).toBe(true);
  await waitFor('its nvidia-smi to be gone', () => fake.living === 0);
});
