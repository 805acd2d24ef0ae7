/** Policies over memory, power, fan and load, one reading a second. */
import { describe, expect, test } from 'vitest';
import type { CardDecision, Decided } from '../../../src/gpu/policy/card-decision.ts';
import { LOAD_UNKNOWN, loadOf, noteLoad } from '../../../src/gpu/policy/card-load.ts';
import { PROFILES } from '../../../src/gpu/policy/card-profile.ts';
import { decideFan, FAN_WELL } from '../../../src/gpu/policy/fan.ts';
import { decideMemory, MEMORY_WELL } from '../../../src/gpu/policy/memory.ts';
import { decidePower, POWER_WELL } from '../../../src/gpu/policy/power.ts';

/** @returns what was decided, each with its second */
function follow<S>(
  state: S,
  seconds: number,
  decide: (state: S, second: number, nowMs: number) => Decided<S>,
): (CardDecision & { readonly at: number })[] {
  const decided: (CardDecision & { readonly at: number })[] = [];
  let now = state;
  for (let second = 0; second < seconds; second += 1) {
    const step = decide(now, second, second * 1_000);
    now = step.state;
    decided.push(...step.decisions.map((decision) => ({ ...decision, at: second })));
  }
  return decided;
}

describe('memory', () => {
  const card = 'GPU 0';
  const used = (path: readonly number[], profile: typeof PROFILES.rtx3080 | null = null) =>
    follow(MEMORY_WELL, path.length, (state, at, nowMs) =>
      decideMemory(state, { usedMib: path[at] ?? null, totalMib: 10_000 }, nowMs, { profile, card }),
    ).map(({ type, at }) => `${at} ${type}`);

  test('90 % warns, 95 % saves and asks to free some, once', () => {
    expect(used([8_999, 9_000, 9_400, 9_500, 9_600, 9_500])).toEqual(['1 warn', '3 save', '3 release']);
  });

  test('it ends three per cent below, and no flicker', () => {
    expect(used([9_000, 8_999, 9_001, 8_701, 9_000, 8_699, 9_000])).toEqual(['0 warn', '5 warned', '6 warn']);
  });

  test("the guide's limit and reserve", () => {
    const [limit, reserve] = [10_000, 1_024];
    expect(used([limit - reserve - 1, limit - reserve], PROFILES.rtx3080)).toEqual(['1 warn']);
  });

  test('as long as there is no less, the trainer is asked again after five minutes', () => {
    const path = new Array<number>(700).fill(9_800);
    expect(used(path).filter((each) => each.endsWith('release'))).toEqual(['0 release', '300 release', '600 release']);
  });

  test('in words', () => {
    const [warned] = decideMemory(MEMORY_WELL, { usedMib: 9_216, totalMib: 10_240 }, 0, {
      profile: null,
      card,
    }).decisions;
    expect(warned).toMatchObject({ message: 'GPU 0 has little memory left: 9216 of 10240 MiB (90 %) in use' });
  });

  test('what a card does not tell decides nothing', () => {
    expect(decideMemory(MEMORY_WELL, { usedMib: null, totalMib: 1 }, 0, { profile: null, card }).decisions).toEqual([]);
    expect(decideMemory(MEMORY_WELL, { usedMib: 9, totalMib: null }, 0, { profile: null, card }).decisions).toEqual([]);
  });
});

describe('power', () => {
  const drawn = (path: readonly number[], profileW: number | null, ownLimitW: number | null = 320) =>
    follow(POWER_WELL, path.length, (state, at, nowMs) =>
      decidePower(state, { powerW: path[at] ?? null, ownLimitW, profileW }, nowMs, 'GPU 0'),
    );
  const lasting = (watts: number, seconds: number): number[] => new Array<number>(seconds).fill(watts);

  test('above 320 W for ten seconds warns and saves; ten seconds well below end it', () => {
    const decided = drawn([...lasting(330, 12), ...lasting(315, 20), ...lasting(300, 12)], 320);
    expect(decided.map(({ type, at }) => `${at} ${type}`)).toEqual(['10 warn', '10 save', '42 warned']);
    expect(decided[0]).toMatchObject({ message: 'GPU 0 draws too much power: 330 W > 320 W for 10 s' });
  });

  test('peaks are none', () => {
    expect(
      drawn(
        Array.from({ length: 60 }, (_, at) => (at % 8 === 7 ? 300 : 350)),
        320,
      ),
    ).toEqual([]);
  });

  test('a card that rides at its own limit is well; without a limit nothing is', () => {
    expect(drawn(lasting(325, 60), null)).toEqual([]);
    expect(drawn(lasting(340, 60), null).length).toBe(2);
    expect(drawn(lasting(900, 60), null, null)).toEqual([]);
  });
});

describe('fan', () => {
  const limits = { scale: 'degrees', hold: 75, control: 80, warn: 83, emergency: 85 } as const;
  const turning = (path: readonly (readonly [percent: number | null, heat: number])[]) =>
    follow(FAN_WELL, path.length, (state, at, nowMs) => {
      const [percent = null, heat = 0] = path[at] ?? [];
      return decideFan(state, { percent, heat }, nowMs, { limits, card: 'GPU 0' });
    });
  const lasting = (percent: number | null, heat: number, seconds: number) =>
    Array.from({ length: seconds }, () => [percent, heat] as const);

  test('at 0 with a hot card for 20 s; over when it turns', () => {
    const decided = turning([...lasting(0, 76, 22), ...lasting(40, 76, 3)]);
    expect(decided.map(({ type, at }) => `${at} ${type}`)).toEqual(['20 warn', '22 warned']);
    expect(decided[0]).toMatchObject({ message: 'GPU 0: its fan stands still for 20 s, although it is hot' });
  });

  test('at 0 with a cool card is how a desktop card rests', () => {
    expect(turning(lasting(0, 55, 300))).toEqual([]);
  });

  test('the same for a minute while the card got hotter', () => {
    const decided = turning([...lasting(40, 74, 30), ...lasting(40, 82, 40)]);
    expect(decided).toMatchObject([
      { type: 'warn', at: 60, message: 'GPU 0: its fan is at 40 % for 60 s, although it got 8 C hotter' },
    ]);
  });

  test('the same on a card that stays as it is, at full speed, or without a fan: nothing', () => {
    expect(turning(lasting(40, 82, 300))).toEqual([]);
    expect(turning([...lasting(100, 74, 30), ...lasting(100, 90, 100)])).toEqual([]);
    expect(turning([...lasting(null, 74, 30), ...lasting(null, 90, 100)])).toEqual([]);
  });
});

describe('load', () => {
  /** Utilisation each second, after some seconds with steps. */
  function load(percents: readonly number[], trainedS: number) {
    let state = LOAD_UNKNOWN;
    percents.forEach((percent, second) => {
      const stepAgeMs = second < trainedS ? 0 : (second - trainedS) * 1_000;
      state = noteLoad(state, percent, second * 1_000, stepAgeMs);
    });
    return loadOf([state], (percents.length - 1) * 1_000);
  }
  const lasting = (percent: number, seconds: number): number[] => new Array<number>(seconds).fill(percent);

  test('idle after ten seconds without work, of a card that worked for this training', () => {
    expect(load([...lasting(87, 20), ...lasting(0, 10)], 20)).toBe('unknown');
    expect(load([...lasting(87, 20), ...lasting(0, 11)], 20)).toBe('idle');
    expect(load([...lasting(87, 20), ...lasting(0, 8), 5, ...lasting(0, 8)], 20)).toBe('unknown');
  });

  test('busy while it works on', () => {
    expect(load(lasting(87, 60), 20)).toBe('busy');
  });

  test('a card that this training never used is no evidence, whatever others do with it', () => {
    expect(load(lasting(0, 60), 20)).toBe('unknown');
    expect(load([...lasting(0, 40), ...lasting(95, 60)], 20)).toBe('unknown');
  });
});
