/** What `doctor` makes of the errors that the driver wrote into the kernel's log. */
import { expect, it } from 'vitest';
import { checkDriverErrors } from '../../src/doctor/checks/driver-errors.ts';
import { type GpuLook, lookAtCards } from '../../src/gpu/look.ts';
import { readXid, type SeenXid } from '../../src/gpu/xid.ts';
import { FakeSmi } from '../rig/fake-smi.ts';

const NO_CARDS: GpuLook = { cards: [], driverVersion: null, cudaVersion: null, troubles: [] };

function xid(number: number, ageMs: number | null, bus = '0000:01:00'): SeenXid {
  const read = readXid(`NVRM: Xid (PCI:${bus}): ${number}, pid=1234, name=python`);
  if (read === null) throw new Error('no Xid');
  return { ...read, ageMs };
}

async function twoCards(): Promise<GpuLook> {
  const fake = await FakeSmi.start({ cards: [{ model: 'rtx3080' }, { model: 'rtx3080' }] });
  return lookAtCards(fake.command, () => performance.now());
}

it('tells the number of errors, the worst and the newest of each card, and what to do', async () => {
  const look = await twoCards();
  const seen = [xid(13, 7_300_000), xid(31, 125_000), xid(43, 4_900), xid(79, null, '0000:02:00')];
  expect(checkDriverErrors({ seen }, look)).toEqual([
    {
      check: 'xid',
      severity: 'note',
      words:
        'GPU 0: 3 errors since the machine was started: Xid 31 (a memory access that the card refused); Xid 43 (the card stopped a program that had failed), the newest, 5 s ago: the program that ran on it had to be started again; the card is well.',
      mend: expect.stringContaining('power supply'),
    },
    {
      check: 'xid',
      severity: 'problem',
      words:
        'GPU 1: 1 error since the machine was started: Xid 79 (the card has fallen off the bus), the newest: the machine needs a reboot.',
      mend: expect.stringContaining('Reboot'),
    },
  ]);
  expect(checkDriverErrors({ seen: [xid(46, 3_700_000)] }, look)).toMatchObject([
    {
      severity: 'warning',
      words: expect.stringContaining('1 h ago'),
      mend: expect.stringContaining('--gpu-reset -i 0'),
    },
  ]);
  expect(checkDriverErrors({ seen: [xid(999, 0)] }, look)).toMatchObject([{ severity: 'note' }]);
});

it('says that all is well, why it cannot know, and nothing where there is no card', async () => {
  const look = await twoCards();
  expect(checkDriverErrors({ seen: [] }, look)).toMatchObject([{ severity: 'ok' }]);
  expect(checkDriverErrors({ refusal: '/dev/kmsg is closed to you' }, look)).toMatchObject([
    {
      severity: 'note',
      words: expect.stringContaining('/dev/kmsg is closed to you'),
      mend: expect.stringContaining('adm'),
    },
  ]);
  expect(checkDriverErrors({ seen: [] }, NO_CARDS)).toEqual([]);
  expect(checkDriverErrors({ refusal: 'x' }, NO_CARDS)).toEqual([]);
  // A card that has fallen off the bus may be in no list any more.
  expect(checkDriverErrors({ seen: [xid(79, 1_000)] }, NO_CARDS)).toMatchObject([
    { severity: 'problem', words: expect.stringContaining('The card at 0000:01:00') },
  ]);
});
