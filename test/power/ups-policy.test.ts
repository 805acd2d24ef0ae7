import { expect, test } from 'vitest';
import { readAnswer } from '../../src/power/ups-client.ts';
import { BATTERY_SAVE_MS, FRESH_UPS, judgeUps, STALE_MS, type UpsState } from '../../src/power/ups-policy.ts';
import { formatUps, parseUps } from '../../src/ups-address.ts';

/** Drives the policy in virtual time; gives the types of the actions of each step. */
class Rig {
  state: UpsState = FRESH_UPS;
  nowMs = 0;

  says(status: string, afterMs = 0): string[] {
    return this.#step({ kind: 'status', words: status.split(' ') }, afterMs);
  }

  silent(afterMs: number): string[] {
    return this.#step({ kind: 'silent', reason: 'ERR DATA-STALE' }, afterMs);
  }

  #step(report: Parameters<typeof judgeUps>[1], afterMs: number): string[] {
    this.nowMs += afterMs;
    const { state, actions } = judgeUps(this.state, report, this.nowMs);
    this.state = state;
    return actions.map(({ type }) => type);
  }
}

test('on battery: said once, saved at once and then every minute; back on line', () => {
  const rig = new Rig();
  expect(rig.says('OL')).toEqual(['tell']);
  expect(rig.says('OL CHRG')).toEqual([]);
  expect(rig.says('OB DISCHRG')).toEqual(['tell', 'save']);
  expect(rig.says('OB', BATTERY_SAVE_MS - 1)).toEqual([]);
  expect(rig.says('OB', 1)).toEqual(['save']);
  expect(rig.says('OL')).toEqual(['tell']);
  expect(rig.says('OB')).toEqual(['tell', 'save']);
});

test('low on battery, or a forced shutdown: stopped, once; low while it charges is nothing', () => {
  for (const status of ['OB LB', 'OL FSD', 'FSD OB LB']) {
    const rig = new Rig();
    rig.says('OL');
    expect(rig.says(status)).toEqual(['stop']);
    expect(rig.says(status, 2_000)).toEqual([]);
  }
  const charging = new Rig();
  charging.says('OL');
  expect(charging.says('OL LB CHRG')).toEqual([]);
});

test('silence on battery is an emergency after the time that data may be old, a gap is not', () => {
  const rig = new Rig();
  rig.says('OB');
  expect(rig.silent(STALE_MS - 1)).toEqual([]);
  expect(rig.says('OB', 1)).toEqual([]);
  expect(rig.silent(STALE_MS)).toEqual(['stop']);
});

test('silence on line is told once, and is not on line', () => {
  const rig = new Rig();
  rig.says('OL');
  expect(rig.silent(STALE_MS)).toEqual(['tell']);
  expect(rig.state.power).toBe('unknown');
  expect(rig.silent(STALE_MS)).toEqual([]);
  expect(rig.says('OL')).toEqual(['tell']);
  const never = new Rig();
  expect(never.silent(0)).toEqual(['tell']);
  expect(never.state.power).toBe('unknown');
  // Neither word: nobody knows.
  expect(new Rig().says('OFF')).toEqual(['tell']);
});

test('answers of the server', () => {
  expect(readAnswer('VAR su ups.status "OB LB"')).toEqual({ kind: 'status', words: ['OB', 'LB'] });
  expect(readAnswer('ERR DATA-STALE\r')).toEqual({ kind: 'silent', reason: 'ERR DATA-STALE' });
});

test('names of a UPS', () => {
  expect(parseUps('su@localhost')).toEqual({ name: 'su', host: 'localhost', port: 3493 });
  for (const text of ['su@[::1]:3500', 'su@host', 'a.b-c@10.0.0.1:1'])
    expect(formatUps(parseUps(text) ?? never())).toBe(text);
  for (const text of ['su', '@host', 'su@', 'su@host:0', 'su@host:99999', 'su@ho st'])
    expect(parseUps(text)).toBeNull();
});

function never(): never {
  throw new Error('not parsed');
}
