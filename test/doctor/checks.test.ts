import { expect, it } from 'vitest';
import { doctorWords, isHealthy } from '../../src/cli/render/doctor-words.ts';
import { checkBackends } from '../../src/doctor/checks/backends.ts';
import { checkClock } from '../../src/doctor/checks/clock.ts';
import { checkCuda } from '../../src/doctor/checks/cuda.ts';
import { checkDisk, type PlaceFacts } from '../../src/doctor/checks/disk.ts';
import { checkDriver } from '../../src/doctor/checks/driver.ts';
import { checkNode } from '../../src/doctor/checks/node.ts';
import { checkService } from '../../src/doctor/checks/service.ts';
import { checkStateHome } from '../../src/doctor/checks/state-home.ts';
import { checkUps } from '../../src/doctor/checks/ups.ts';

const GIB = 1024 ** 3;
const PLACE: PlaceFacts = {
  directory: '/data',
  device: 1,
  freeBytes: 100 * GIB,
  totalBytes: 200 * GIB,
  bytesPerSecond: 400e6,
  syncMs: 2,
  isNetwork: false,
};

function disk(facts: Partial<PlaceFacts>): string[] {
  const findings = checkDisk('checkpoints', '/data', { kind: 'facts', facts: { ...PLACE, ...facts } });
  return findings.map(({ check, severity }) => `${check} ${severity}`);
}

it('wants a driver of 520 and CUDA 11.8, and says nothing of them where there is no card', () => {
  expect(checkDriver('520.61.05', true)).toMatchObject([{ severity: 'ok' }]);
  expect(checkDriver('515.105.01', true)).toMatchObject([
    { severity: 'problem', mend: expect.stringContaining('apt') },
  ]);
  expect(checkDriver(null, true)).toMatchObject([{ severity: 'note' }]);
  expect(checkDriver('418.43', false)).toEqual([]);
  expect([checkCuda('11.8', true), checkCuda('12.0', true)].flat()).toMatchObject([
    { severity: 'ok' },
    { severity: 'ok' },
  ]);
  expect([checkCuda('11.7', true), checkCuda('10.1', true)].flat()).toMatchObject([
    { severity: 'problem' },
    { severity: 'problem' },
  ]);
  expect(checkCuda(null, false)).toEqual([]);
});

it('judges room and speed of a disk', () => {
  expect(disk({})).toEqual(['disk-space ok', 'disk-speed ok']);
  expect(disk({ freeBytes: 5 * GIB })).toEqual(['disk-space warning', 'disk-speed ok']);
  expect(disk({ freeBytes: 1e6, bytesPerSecond: null, syncMs: null })).toEqual(['disk-space problem']);
  expect(disk({ bytesPerSecond: 20e6 })).toEqual(['disk-space ok', 'disk-speed warning']);
  expect(disk({ syncMs: 900 })).toEqual(['disk-space ok', 'disk-speed warning']);
  const hanging = checkDisk('checkpoints', '/data', { kind: 'silent', forMs: 20_000 });
  expect(hanging).toMatchObject([{ severity: 'problem', words: expect.stringContaining('20 s') }]);
});

it('knows a backend that works from one that is wrong, broken, silent or not there', () => {
  const wasm = { kind: 'works', name: 'tfjs-wasm', device: 'cpu', productMs: 3 } as const;
  const absent = { kind: 'not-installed', name: 'node-gpu' } as const;
  expect(checkBackends([wasm, absent], false, null).map(({ severity }) => severity)).toEqual(['ok', 'note']);
  expect(checkBackends([wasm, absent], true, null).at(-1)).toMatchObject({
    severity: 'warning',
    mend: 'nkat-recover backend install --cuda12',
  });
  expect(checkBackends([{ ...wasm, device: 'gpu' }], true, null)).toMatchObject([{ severity: 'ok' }]);
  expect(checkBackends([absent], false, null).at(-1)).toMatchObject({ severity: 'problem' });
  const broken = checkBackends(
    [wasm, { kind: 'failed', name: 'node', reason: 'x' }, { kind: 'silent', name: 'node-gpu', forMs: 60_000 }],
    false,
    null,
  );
  expect(broken.map(({ severity }) => severity)).toEqual(['ok', 'warning', 'warning']);
  expect(checkBackends([{ kind: 'wrong', name: 'wasm' }, wasm], false, null)[0]).toMatchObject({
    severity: 'problem',
    mend: 'npm install @tensorflow/tfjs-backend-wasm',
  });
});

it('names what mends a native backend: the one that is installed, and no second one', () => {
  const damaged = { kind: 'failed', name: 'native', reason: 'x' } as const;
  expect(checkBackends([damaged], false, 'cpu')[0]?.mend).toBe('nkat-recover backend install --cpu');
  expect(checkBackends([damaged], true, 'cuda12')[0]?.mend).toBe('nkat-recover backend install --cuda12');
  expect(checkBackends([damaged], false, null)[0]?.mend).toBe('nkat-recover backend install');
  const blind = { kind: 'works', name: 'tfjs-node', device: 'cpu', productMs: 3, whyNoGpu: 'no driver' } as const;
  const [first, last] = checkBackends([blind], true, 'cuda12');
  expect(first).toMatchObject({ severity: 'warning', words: expect.stringContaining('no driver') });
  expect(last).toMatchObject({ severity: 'warning', mend: 'nkat-recover backend check' });
  expect(checkBackends([{ ...blind, whyNoGpu: null }], false, 'cpu')).toMatchObject([{ severity: 'ok' }]);
});

it('judges clock, Node, UPS, state home and start at boot', () => {
  const now = new Date('2026-11-23T12:00:00Z');
  const before = new Date('2026-11-23T11:00:00Z');
  const after = new Date('2026-11-23T13:00:00Z');
  expect(checkClock({ now, lastWrite: before, synchronized: true }).severity).toBe('ok');
  expect(checkClock({ now, lastWrite: after, synchronized: true }).severity).toBe('warning');
  expect(checkClock({ now, lastWrite: null, synchronized: false }).severity).toBe('warning');
  expect(checkClock({ now, lastWrite: null, synchronized: null }).severity).toBe('note');
  expect(['20.19.0', '24.1.0', '20.18.3', '18.20.0'].map((version) => checkNode(version).severity)).toEqual([
    'ok',
    'ok',
    'problem',
    'problem',
  ]);
  expect(checkUps(null, null).severity).toBe('note');
  expect(checkUps('myups@localhost', { kind: 'status', words: ['OL', 'CHRG'] }).severity).toBe('ok');
  expect(checkUps('myups@localhost', { kind: 'status', words: ['OL', 'RB'] }).severity).toBe('warning');
  expect(checkUps('myups@localhost', { kind: 'status', words: ['OB'] }).severity).toBe('warning');
  expect(checkUps('myups@localhost', { kind: 'silent', reason: 'no answer' }).severity).toBe('warning');
  const where = '/etc/systemd/system/x.service';
  expect(checkService({ installed: 'yes', enabled: 'enabled', where }).severity).toBe('ok');
  expect(checkService({ installed: 'yes', enabled: 'disabled', where }).severity).toBe('warning');
  expect(checkService({ installed: 'no', enabled: null, where }).mend).toBe('nkat-recover service install');
  expect(checkStateHome('/home/x.db', { kind: 'damaged', reason: 'page 3' })).toMatchObject({
    severity: 'warning',
    mend: expect.stringContaining('repair'),
  });
});

it('is healthy unless there is a problem, and says how to mend each', () => {
  const late = checkService({ installed: 'no', enabled: null, where: '' });
  const old = checkNode('18.0.0');
  expect([isHealthy([late]), isHealthy([late, old])]).toEqual([true, false]);
  const texts = doctorWords([late, old]).map(({ text }) => text);
  expect(texts).toContain('                      -> Install a newer Node: https://nodejs.org');
  expect(texts.at(-1)).toBe('1 problem and 0 warnings: mend the problem before you train.');
});
