/** Supervised runs whose (fake) card draws too much, is not cooled, dies with an Xid, or tells of a hang. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { FakeSmi } from '../rig/fake-smi.ts';
import { COMMAND, signalPid, testInWorld, testInWorldWithMounts, type World } from './rig.ts';

const LIMIT = { timeout: 300_000 };

function showing(values: Readonly<Record<string, string>>) {
  return { cards: [{ model: 'rtx3080', values }] };
}

testInWorld.concurrent(
  'too much power: told, and saved; a fan that stands still on a hot card: told',
  LIMIT,
  async ({ world }) => {
    const fake = await FakeSmi.start(showing({ 'temperature.gpu': '60' }));
    const options = ['--json', '--gpu-profile', 'rtx3080', '--save-every', 'off'];
    const run = world.start(['run', ...options, ...world.endless()], COMMAND, fake.environment);
    await run.event('progress', ({ cards = [], step }) => cards.length > 0 && step > 5);
    // Warm, but below what slows training down.
    const tooMuch = { 'power.draw.instant': '335.00', 'power.draw.average': '335.00', 'power.draw': '335.00' };
    fake.set(showing({ ...tooMuch, 'temperature.gpu': '78', 'fan.speed': '0' }));
    const power = await run.event('warning', ({ code }) => code.startsWith('gpu-power:'));
    expect(power).toMatchObject({
      message: 'GPU 0 draws too much power: 335 W > 320 W for 10 s',
      hint: expect.stringContaining('-pl 320'),
    });
    await run.event('saved', ({ kinds, reason }) => kinds.join() === 'gpu' && reason === power.message);
    const fan = await run.event('warning', ({ code }) => code.startsWith('gpu-fan:'));
    expect(fan.message).toMatch(/^GPU 0: its fan stands still for \d+ s, although it is hot$/);
    fake.set(showing({ 'temperature.gpu': '60' }));
    await run.event('warning-ended', ({ code }) => code.startsWith('gpu-fan:'));
    world.enough();
    await run.ended(0);
  },
);

/** Steps of 20 ms until that one, which lasts until the file is there. */
function heldAt(world: World, step: number): string[] {
  return world.endless(['--hold-at', String(step), '--hold', join(world.directory, 'on')]);
}

testInWorld.concurrent('no step and an idle card: a hang after half of the time', LIMIT, async ({ world }) => {
  const fake = await FakeSmi.start(showing({ 'utilization.gpu': '90' }));
  const run = world.start(['run', '--json', '--hang-after', '24s', ...heldAt(world, 200)], COMMAND, fake.environment);
  await run.event('progress', ({ cards = [], step }) => cards.length > 0 && step > 100);
  await run.event('progress', ({ step }) => step === 199);
  fake.set(showing({ 'utilization.gpu': '0' }));
  expect(await run.event('hang-detected')).toMatchObject({ phase: 'train', limitMs: 12_000 });
  world.touch('on');
  world.enough();
  await run.ended(0);
});

testInWorld.concurrent('no step and a busy card: a hang after three times as long', LIMIT, async ({ world }) => {
  const fake = await FakeSmi.start(showing({ 'utilization.gpu': '90' }));
  const run = world.start(['run', '--json', '--hang-after', '4s', ...heldAt(world, 550)], COMMAND, fake.environment);
  expect(await run.event('hang-detected')).toMatchObject({ phase: 'train', limitMs: 12_000 });
  world.touch('on');
  world.enough();
  await run.ended(0);
});

testInWorldWithMounts(
  'an Xid that a new start mends is told of with the crash; after one that needs a reboot nothing is launched: exit 69',
  async (world) => {
    const fake = await FakeSmi.start(showing({}));
    // The kernel's log as this run sees it.
    const log = join(world.directory, 'kmsg');
    const write = (xid: string): void => {
      const atUs = process.hrtime.bigint() / 1000n;
      writeFileSync(log, `6,1,${atUs},-;NVRM: Xid (PCI:0000:01:00): ${xid}\n`);
    };
    writeFileSync(log, '');
    const under = ['unshare', '-m', 'sh', '-c', 'mount --bind "$1" /dev/kmsg && shift && exec "$@"', 'sh', log];
    const run = world.startUnder(under, ['run', '--json', ...world.endless()], fake.environment);
    await run.event('progress', ({ cards = [], step }) => cards.length > 0 && step > 5);

    const first = await run.event('worker-connected');
    write(`31, pid=${first.pid}, name=node, Ch 00000008`);
    signalPid(first.pid, 'SIGABRT');
    expect(await run.event('worker-ended')).toMatchObject({
      class: 'native-crash',
      reason: expect.stringContaining('Xid 31: a memory access that the card refused'),
    });
    const second = await run.event('worker-connected', () => true, 2);
    await run.event('recovered');
    write('79, GPU has fallen off the bus.');
    signalPid(second.pid, 'SIGABRT');
    await run.ended(69);
    expect(run.named('worker-ended')[1]).toMatchObject({
      class: 'gpu-lost',
      reason: 'Xid 79 of the GPU at 0000:01:00: the card has fallen off the bus',
      hint: expect.stringContaining('Reboot'),
    });
    expect(run.named('attempt-started')).toHaveLength(2);
  },
);
