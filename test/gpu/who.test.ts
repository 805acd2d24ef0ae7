import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { processQuery, readProcesses, shareMemory } from '../../src/gpu/processes.ts';
import { type CardIdentity, chooseVisible } from '../../src/gpu/visible.ts';
import { readXid, sameBus } from '../../src/gpu/xid.ts';

const card = (index: number, uuid: string, name = 'NVIDIA GeForce RTX 3080'): CardIdentity => ({ index, uuid, name });
const THREE = [card(0, 'GPU-aa11'), card(1, 'GPU-ab22'), card(2, 'GPU-cc33')];

describe('the cards that a worker uses', () => {
  const uuids = (asked: string | undefined, cards = THREE): readonly string[] =>
    chooseVisible(cards, asked === undefined ? {} : { CUDA_VISIBLE_DEVICES: asked }).uuids;

  it.each([
    [undefined, ['GPU-aa11', 'GPU-ab22', 'GPU-cc33']],
    ['', []],
    ['-1', []],
    ['NoDevFiles', []],
    ['2,0', ['GPU-cc33', 'GPU-aa11']],
    [' 1 , 0 ', ['GPU-ab22', 'GPU-aa11']],
    ['1,-1,0', ['GPU-ab22']],
    ['0,7,1', ['GPU-aa11']],
    ['GPU-c', ['GPU-cc33']],
    ['GPU-a', []],
    ['GPU-ab22,GPU-aa', ['GPU-ab22', 'GPU-aa11']],
    ['gpu-c', []],
  ])('are those of CUDA_VISIBLE_DEVICES=%s', (asked, expected) => {
    expect(uuids(asked)).toEqual(expected);
  });

  it('are those that hold its MIG instances, under new and old names', () => {
    const cards = [{ ...card(0, 'GPU-aa11'), instances: ['MIG-1234', 'MIG-5678'] }, card(1, 'GPU-ab22')];
    expect(chooseVisible(cards, { CUDA_VISIBLE_DEVICES: 'MIG-56' })).toEqual({
      uuids: ['GPU-aa11'],
      instances: ['MIG-5678'],
      doubt: null,
    });
    expect(uuids('MIG-GPU-ab22/3/0', cards)).toEqual(['GPU-ab22']);
    expect(uuids('MIG-99', cards)).toEqual([]);
  });

  it('are doubtful by number where CUDA counts in another order', () => {
    const mixed = [card(0, 'GPU-aa11', 'NVIDIA T400'), card(1, 'GPU-ab22')];
    expect(chooseVisible(mixed, { CUDA_VISIBLE_DEVICES: '0' }).doubt).toContain('CUDA_DEVICE_ORDER=PCI_BUS_ID');
    expect(chooseVisible(mixed, { CUDA_VISIBLE_DEVICES: '0', CUDA_DEVICE_ORDER: 'PCI_BUS_ID' }).doubt).toBeNull();
    expect(chooseVisible(mixed, { CUDA_VISIBLE_DEVICES: '0,1' }).doubt).toBeNull();
    expect(chooseVisible(mixed, { CUDA_VISIBLE_DEVICES: 'GPU-ab' }).doubt).toBeNull();
    expect(chooseVisible(THREE, { CUDA_VISIBLE_DEVICES: '0' }).doubt).toBeNull();
  });
});

describe('the memory of a card', () => {
  it('is asked for with the columns that are read', () => {
    const program = join(import.meta.dirname, '../../fixtures/fake-nvidia-smi/nvidia-smi.mjs');
    const scene = join(import.meta.dirname, '../../fixtures/fake-nvidia-smi/scenes/two-users.json');
    const { stdout } = spawnSync(program, processQuery(), {
      encoding: 'utf8',
      env: { ...process.env, FAKE_SMI_SCENE: scene },
    });
    expect(readProcesses(stdout).map(({ pid, memoryMib }) => [pid, memoryMib])).toEqual([
      [4242, 5200],
      [900, null],
    ]);
  });

  const rows = [
    'GPU-aa11, 100, 5000, /usr/bin/node',
    'GPU-aa11, 101, 300 MiB, python, with a comma',
    'GPU-aa11, 200, 700, /usr/bin/kwin_wayland',
    'GPU-aa11, 300, [N/A], C:\\Windows\\dwm.exe',
    'GPU-ab22, 100, 40, /usr/bin/node',
    'No running processes found',
  ].join('\n');

  it("is the worker's tree's apart from that of others", () => {
    const processes = readProcesses(rows);
    expect(processes).toHaveLength(5);
    expect(processes[1]).toEqual({ gpuUuid: 'GPU-aa11', pid: 101, name: 'python, with a comma', memoryMib: 300 });
    const share = shareMemory(processes, 'GPU-aa11', new Set([99, 100, 101]));
    expect([share.ownMib, share.othersMib, share.untold]).toEqual([5300, 700, 1]);
    expect(share.others.map(({ pid }) => pid)).toEqual([200, 300]);
  });

  it('is not said to be 0 where the worker is not in the list', () => {
    expect(shareMemory(readProcesses(rows), 'GPU-aa11', new Set([1])).ownMib).toBeNull();
  });
});

describe('an Xid message', () => {
  it.each([
    ['NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus.', 79, 'reboot', null],
    [
      'NVRM: Xid (PCI:0000:0a:00): 31, pid=79749, name=exe, Ch 0000000a, intr 00000000. MMU Fault',
      31,
      'restart-program',
      79749,
    ],
    [
      "NVRM: Xid (PCI:0000:0a:00): 119, pid='1122', name=python3, Timeout waiting for RPC from GSP!",
      119,
      'reset-card',
      1122,
    ],
    ["NVRM: Xid (PCI:0000:0a:00): 43, pid='<unknown>', name=<unknown>, Ch 00000008", 43, 'none', null],
    ['NVRM: Xid (0000:02:00): 13, 0003 00000000', 13, 'restart-program', null],
    ['NVRM: Xid (PCI:0000:02:00): 999, something new', 999, 'unknown', null],
  ])('is read: %s', (line, number, remedy, pid) => {
    expect(readXid(line)).toMatchObject({ number, remedy, pid });
  });

  it('is nothing else of the driver', () => {
    expect(readXid('NVRM: GPU 0000:01:00.0: GPU has fallen off the bus.')).toBeNull();
  });

  it('is of the card at the same place, however that is written', () => {
    expect(sameBus('0000:0a:00', '00000000:0A:00.0')).toBe(true);
    expect(sameBus('0000:0a:00', '00000000:0B:00.0')).toBe(false);
    expect(sameBus('10000:0a:00', '00010000:0A:00.0')).toBe(true);
  });
});
