import { describe, expect, test } from 'vitest';
import type { CardDecision } from '../../../src/gpu/policy/card-decision.ts';
import { PROFILES } from '../../../src/gpu/policy/card-profile.ts';
import { type HeatLimits, heatLimits, heatWords } from '../../../src/gpu/policy/heat-limits.ts';
import {
  COOL,
  decideHeat,
  isCool,
  type ThermalState,
  withNewWorker,
  withoutWorker,
} from '../../../src/gpu/policy/thermal.ts';
import { chanceOf } from '../../rig/seeded.ts';

const RTX3080 = {
  targetC: 83,
  maxOperatingC: 93,
  slowdownC: 95,
  shutdownC: 98,
  maxOperatingMarginC: null,
  slowdownMarginC: null,
  shutdownMarginC: null,
};
const H100 = {
  ...RTX3080,
  targetC: null,
  maxOperatingC: null,
  slowdownC: null,
  shutdownC: null,
  maxOperatingMarginC: 0,
  slowdownMarginC: -2,
  shutdownMarginC: -8,
};
const GUIDE = heatLimits(null, PROFILES.rtx3080) as HeatLimits;

/** One reading a second; what was decided, with the second. */
class Card {
  state: ThermalState = COOL;
  seconds = 0;
  readonly decided: (CardDecision & { readonly at: number })[] = [];
  readonly limits: HeatLimits;

  constructor(limits: HeatLimits = GUIDE) {
    this.limits = limits;
  }

  read(heat: number | null): this {
    this.seconds += 1;
    const { state, decisions } = decideHeat(this.state, heat, this.seconds * 1_000, {
      limits: this.limits,
      card: 'GPU 0',
    });
    this.state = state;
    this.decided.push(...decisions.map((decision) => ({ ...decision, at: this.seconds })));
    return this;
  }

  readAll(heats: readonly number[]): this {
    for (const heat of heats) this.read(heat);
    return this;
  }

  of<T extends CardDecision['type']>(type: T): Extract<CardDecision, { type: T }>[] {
    return this.decided.filter(
      (each): each is Extract<CardDecision, { type: T }> & { at: number } => each.type === type,
    );
  }
}

interface Plant {
  readonly tauS: number;
  readonly idleC: number;
  readonly fullC: number;
  readonly noiseC: number;
}

/** A card whose temperature follows its load, for so long. @returns its true temperature each second */
function heatUp(card: Card, { tauS, idleC, fullC, noiseC }: Plant, seconds: number, fromC = idleC): number[] {
  const chance = chanceOf(7);
  const path: number[] = [];
  let trueC = fromC;
  for (let second = 0; second < seconds; second += 1) {
    const load = 1 - card.state.toldShare;
    trueC += (idleC + (fullC - idleC) * load - trueC) / tauS;
    path.push(trueC);
    card.read(Math.round(trueC + noiseC * (2 * chance.next() - 1)));
  }
  return path;
}

describe('limits', () => {
  test("the card's own, and the guide's in their place", () => {
    expect(heatLimits(RTX3080, null)).toEqual({ scale: 'degrees', hold: 83, control: 86, warn: 93, emergency: 95 });
    expect(heatLimits(H100, null)).toEqual({ scale: 'margin', hold: -7, control: -2, warn: 0, emergency: 2 });
    expect(heatLimits(RTX3080, PROFILES.rtx3080)).toEqual({
      scale: 'degrees',
      hold: 75,
      control: 80,
      warn: 83,
      emergency: 85,
    });
    expect(heatLimits({ ...RTX3080, targetC: null, maxOperatingC: null, slowdownC: null }, null)).toBeNull();
    expect(heatLimits(null, null)).toBeNull();
  });

  test.each([
    { ...RTX3080, targetC: 92 },
    { ...RTX3080, targetC: null },
    { ...RTX3080, maxOperatingC: null },
    { ...RTX3080, slowdownC: null },
    { ...RTX3080, maxOperatingC: 97 },
    { ...H100, slowdownMarginC: null },
  ])('in this order, whatever a card leaves out: %o', (own) => {
    const limits = heatLimits(own, null);
    if (limits === null) throw new Error('none');
    const { hold, control, warn, emergency } = limits;
    expect([hold, control, warn, emergency]).toEqual([hold, control, warn, emergency].toSorted((a, b) => a - b));
    expect(new Set([hold, control, warn, emergency]).size).toBe(4);
  });

  test('in words', () => {
    expect(heatWords(85, 83, GUIDE)).toBe('85 C > 83 C');
    expect(heatWords(1, 0, heatLimits(H100, null) as HeatLimits)).toBe('-1 C left < 0 C');
  });
});

describe('slowing down', () => {
  test.each([
    { tauS: 15, idleC: 35, fullC: 84, noiseC: 0 },
    { tauS: 40, idleC: 35, fullC: 84.5, noiseC: 1.5 },
    { tauS: 40, idleC: 40, fullC: 84.5, noiseC: 0 },
    { tauS: 120, idleC: 30, fullC: 84, noiseC: 1 },
    { tauS: 180, idleC: 55, fullC: 84.5, noiseC: 1.5 },
  ])('sustained heat is held at 75 C, without swinging: %o', (plant) => {
    const card = new Card();
    const path = heatUp(card, plant, 3_000);
    const settled = path.slice(1_200);
    expect(Math.max(...settled)).toBeLessThan(77.5);
    expect(Math.min(...settled)).toBeGreaterThan(72.5);
    expect(card.of('stop')).toEqual([]);
    const shares = card
      .of('throttle')
      .slice(-20)
      .map(({ share }) => share);
    // A quiet sensor leaves nothing to say any more.
    if (plant.noiseC === 0) expect(card.decided.filter(({ at }) => at > 1_500).length).toBeLessThan(3);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThan(0.3);
  });

  test('a fan that fails at full load: 60 degrees more within a minute are caught, and training goes on slowed', () => {
    const card = new Card();
    heatUp(card, { tauS: 40, idleC: 35, fullC: 70, noiseC: 1 }, 300);
    expect(card.decided).toEqual([]);
    const path = heatUp(card, { tauS: 40, idleC: 40, fullC: 110, noiseC: 1 }, 2_000, 70);
    expect(Math.max(...path)).toBeLessThan(88);
    expect(path.at(-1)).toBeGreaterThan(72);
    expect(path.at(-1)).toBeLessThan(78);
    expect(card.of('warn').length).toBeGreaterThan(0);
    expect(card.of('stop')).toEqual([]);
    expect(card.state.mode).toBe('slowed');
  });

  test('begins above 80 C and not at it, ends when the card stays cool by itself, and then is at rest', () => {
    const card = new Card().readAll([80, 80, 80, 80]);
    expect(card.decided).toEqual([]);
    card.readAll([81, 81, 81]);
    expect(card.of('throttle')[0]).toMatchObject({ reason: 'GPU 0: 81 C > 80 C' });
    heatUp(card, { tauS: 20, idleC: 30, fullC: 60, noiseC: 0 }, 200, 80);
    expect(card.of('throttle').at(-1)).toMatchObject({ share: 0 });
    expect(card.state.mode).toBe('free');
    const before = card.decided.length;
    card.readAll([79, 80, 79, 80]);
    expect(card.decided.length).toBe(before);
  });

  test('no reading, no decision', () => {
    const card = new Card().readAll([82, 82]);
    const { length } = card.decided;
    for (let second = 0; second < 60; second += 1) card.read(null);
    expect(card.decided.length).toBe(length);
  });
});

describe('too hot', () => {
  test('83 C warns once and saves; the warning ends three degrees below', () => {
    const card = new Card().readAll([83, 84, 84, 83, 82, 81, 83, 83]);
    expect(card.of('warn')).toMatchObject([{ code: 'gpu-hot', message: 'GPU 0 is hot: 83 C = 83 C' }]);
    expect(card.of('save')).toMatchObject([{ isEmergency: false }]);
    card.readAll([80, 80]);
    expect(card.of('warned')).toMatchObject([{ message: 'GPU 0 is cooler again: 80 C < 83 C' }]);
  });

  test('one wrong reading does nothing', () => {
    const card = new Card().readAll([70, 70, 120, 70, 70, 0, 70]);
    expect(card.decided).toEqual([]);
  });

  test('85 C saves at once and lets training stand still until the card is at 75 C, then goes on at half pace', () => {
    const card = new Card().readAll([70, 86, 86]);
    expect(card.decided.map(({ type }) => type)).toEqual(['warn', 'save', 'save', 'throttle']);
    expect(card.of('save')[1]).toMatchObject({ isEmergency: true, reason: 'GPU 0 is too hot: 86 C > 85 C' });
    expect(card.of('throttle')).toMatchObject([{ share: 1 }]);
    card.readAll([86, 84, 80, 77, 76, 76]);
    expect(card.of('throttle').length).toBe(1);
    card.readAll([75, 75]);
    expect(card.of('throttle').at(-1)).toMatchObject({ share: 0.5, reason: 'GPU 0 has cooled down: 75 C = 75 C' });
  });

  test('a card warms a little after its load is gone; one that goes on rising is stopped, once', () => {
    const card = new Card().readAll([70, 85, 85, 87, 87, 87, 86, 86]);
    expect(card.of('stop')).toEqual([]);
    for (let second = 0; second < 20; second += 1) card.read(88);
    expect(card.of('stop')).toMatchObject([
      { reason: 'GPU 0 gets hotter although training stands still: 88 C > 85 C' },
    ]);
    expect(isCool(card.state, GUIDE)).toBe(false);
    card.readAll([74, 74]);
    expect(isCool(card.state, GUIDE)).toBe(true);
    card.state = withNewWorker(withoutWorker(card.state));
    card.read(74);
    expect(card.of('throttle').at(-1)?.share).toBeGreaterThan(0.4);
  });

  test('one that rises fast is stopped before', () => {
    const card = new Card().readAll([70, 85, 85, 91, 91]);
    expect(card.of('stop').length).toBe(1);
  });
});
