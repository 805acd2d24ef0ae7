/** Advice in virtual time: one moment a second. */
import { expect, it } from 'vitest';
import { FIELD_KEYS } from '../../../src/gpu/fields.ts';
import type { GpuSample, GpuValues } from '../../../src/gpu/sample.ts';
import { Adviser } from '../../../src/supervisor/advice/adviser.ts';
import { sharedCards } from '../../../src/supervisor/advice/share-watch.ts';
import { judgeSharedCard } from '../../../src/supervisor/advice/shared-card.ts';
import type { EventNamed } from '../../../src/supervisor/events.ts';

const NOTHING = Object.fromEntries(FIELD_KEYS.map((key) => [key, null])) as unknown as GpuValues;
const BUSY: Partial<GpuValues> = {
  uuid: 'GPU-1',
  index: 0,
  name: 'RTX',
  utilizationPercent: 88,
  clockMhz: 1_900,
  clockMaxMhz: 2_000,
  clockReasons: 0,
  temperatureC: 60,
  powerW: 250,
  powerLimitW: 320,
};

interface Scene {
  readonly phase?: string;
  readonly stepsPerSecond?: number | null;
  readonly waiting?: 'space' | 'pause' | null;
  readonly cards?: readonly Partial<GpuValues>[];
}

class Play {
  readonly advice: EventNamed<'advice'>[] = [];
  readonly #adviser: Adviser;
  /** Loader processes. */
  running = 0;
  #ms = 0;
  #cards: readonly GpuSample[] = [];

  constructor(backend: string | null = null, loaders: number | null = null) {
    this.#adviser = new Adviser({
      tell: (event) => {
        if (event.name === 'advice') this.advice.push(event);
      },
      nowMs: () => this.#ms,
      cards: () => this.#cards,
      countBelow: () => this.running,
    });
    this.#adviser.take({ name: 'worker-connected', attempt: 1, pid: 1, adopted: false, loaders });
    const started = { attempt: 1, sequence: null, step: 0, epoch: 0, restoreMs: 0 };
    this.#adviser.take({ name: 'training-started', ...started, backend });
  }

  go(seconds: number, { phase = 'train', stepsPerSecond = 10, waiting = null, cards = [BUSY] }: Scene = {}): this {
    const progress = { epoch: 0, epochs: 1, step: 1, totalSteps: 1, percent: 0, loss: null, metrics: {} };
    const saves = { bestMetric: null, skippedSaves: 0, lastDurableAt: null, lastDurableAgeMs: null, attempt: 1 };
    for (let second = 0; second < seconds; second += 1) {
      this.#ms += 1_000;
      this.#cards = cards.map((values) => ({ atMs: this.#ms, values: { ...NOTHING, ...values }, absent: {} }));
      this.#adviser.take({ name: 'progress', ...progress, ...saves, phase, stepsPerSecond, waiting });
    }
    return this;
  }

  get codes(): string[] {
    return this.advice.map(({ code, phase }) => `${code} ${phase}`);
  }
}

const idle = (percent: number): readonly Partial<GpuValues>[] => [{ ...BUSY, utilizationPercent: percent }];

it('has nothing to say of a card that is fed well', () => {
  expect(new Play().go(120).codes).toEqual([]);
});

it('says once, with the numbers, that an idle card waits for data', () => {
  const play = new Play().go(10, { cards: idle(3) });
  expect(play.codes).toEqual([]);
  play.go(300, { cards: idle(3) });
  expect(play.codes).toEqual(['gpu-idle train']);
  expect(play.advice[0]?.message).toMatch(
    /^The GPU was used 3 % over 1\d s of training, a step took 100 ms \(the aim is 80 to 90 %\): it waits for data$/,
  );
  expect(play.advice[0]?.hint).toContain('loader processes');
});

it('tells steps that are too small from data that is late, and evaluation from training', () => {
  const small = new Play().go(30, { cards: idle(20), stepsPerSecond: 500 });
  expect(small.advice[0]?.message).toContain('too small');
  const both = new Play().go(30, { cards: idle(5) }).go(30, { phase: 'eval', cards: idle(5) });
  expect(both.codes).toEqual(['gpu-idle train', 'gpu-idle eval']);
});

it('does not flicker: what is over may be told again an hour later at the earliest', () => {
  const play = new Play()
    .go(30, { cards: idle(5) })
    .go(30)
    .go(30, { cards: idle(5) });
  // Between the thresholds nothing changes.
  play.go(600, { cards: idle(65) }).go(30, { cards: idle(5) });
  expect(play.codes).toHaveLength(1);
  play
    .go(30)
    .go(3_600)
    .go(30, { cards: idle(5) });
  expect(play.codes).toHaveLength(2);
});

it('leaves alone who stands still, starts, or has no card', () => {
  expect(new Play().go(60, { cards: idle(0), waiting: 'pause' }).codes).toEqual([]);
  expect(new Play().go(60, { cards: idle(0), phase: 'save' }).codes).toEqual([]);
  expect(new Play('tfjs-cpu').go(60, { cards: [] }).codes).toEqual([]);
  // A stretch that is parted by a save each ten seconds never gets long enough.
  const saving = new Play();
  for (let round = 0; round < 6; round += 1) saving.go(9, { cards: idle(0) }).go(1, { phase: 'save' });
  expect(saving.codes).toEqual([]);
});

it('looks at the busiest card of the worker', () => {
  expect(new Play().go(60, { cards: [{ ...BUSY, utilizationPercent: 0 }, BUSY] }).codes).toEqual([]);
});

it('says that training runs on the CPU though there is a card, and not that the card waits', () => {
  const play = new Play('tfjs-wasm').go(60, { cards: idle(0) });
  expect(play.codes).toEqual(['cpu-training train']);
  expect(play.advice[0]?.message).toBe(
    'Training runs on the CPU (tfjs-wasm) though there is GPU 0 (RTX), which is used 0 %',
  );
  expect(play.advice[0]?.hint).toContain('backend install');
  expect(new Play('tfjs-node-gpu').go(60).codes).toEqual([]);
});

it('says what holds a busy card back: heat, power, or nothing that can be seen', () => {
  const hot = [{ ...BUSY, clockReasons: 0x20, temperatureC: 84, clockMhz: 1_400 }];
  const heat = new Play().go(60, { cards: hot });
  expect(heat.codes).toEqual(['gpu-heat:0 train']);
  expect(heat.advice[0]?.message).toMatch(/in 100 % of 1\d s, at 84 C, 1400 of 2000 MHz/);
  const capped = [{ ...BUSY, clockReasons: 0x4, powerW: 248, powerLimitW: 250, clockMhz: 1_300 }];
  const power = new Play().go(60, { cards: capped });
  expect(power.codes).toEqual(['gpu-power:0 train']);
  expect(power.advice[0]?.message).toContain('248 of 250 W, 1300 of 2000 MHz');
  // At the limit with its clocks nearly up: that is what the limit is for.
  expect(new Play().go(60, { cards: [{ ...BUSY, clockReasons: 0x4, clockMhz: 1_900 }] }).codes).toEqual([]);
  const stuck = new Play().go(60, { cards: [{ ...BUSY, clockMhz: 300 }] });
  expect(stuck.codes).toEqual(['gpu-clocks:0 train']);
  expect(stuck.advice[0]?.hint).toContain('-i 0 -rgc');
});

it('compares training with its own best stretch, and says what changed with it', () => {
  const play = new Play().go(60, { stepsPerSecond: 20 }).go(30, { stepsPerSecond: 16 });
  expect(play.codes).toEqual([]);
  play.go(40, { stepsPerSecond: 8, cards: [{ ...BUSY, temperatureC: 83 }] });
  expect(play.codes).toEqual(['slower train']);
  expect(play.advice[0]?.message).toMatch(
    / now, 20\.0 steps\/s at its best in this run; meanwhile temperature 60 -> \d+ C$/,
  );
});

it('tells of another program that takes much of the card, and of no desktop', () => {
  const process = (pid: number, memoryMib: number) => ({ gpuUuid: 'GPU-1', pid, name: 'python3', memoryMib });
  const cards = [{ atMs: 0, values: { ...NOTHING, ...BUSY, memoryTotalMib: 10_240 }, absent: {} }];
  const judge = (...others: ReturnType<typeof process>[]) =>
    sharedCards([process(7, 6_000), ...others], cards, new Set([7])).map(judgeSharedCard)[0];
  expect(judge()?.kind).toBe('clear');
  expect(judge(process(8, 700))?.kind).toBe('keep');
  expect(judge(process(8, 5_200), process(9, 10))).toMatchObject({
    kind: 'raise',
    message: 'python3 (pid 8) and 1 more is on GPU 0 as well, with 5210 of 10240 MiB of its memory',
  });
});

it('says that too few loader processes run, where the card waits and the trainer says how many it keeps', () => {
  const idle = { stepsPerSecond: 4, cards: [{ ...BUSY, utilizationPercent: 12 }] };
  const play = new Play('tfjs-node-gpu', 4);
  play.running = 2;
  play.go(30, idle);
  expect(play.codes).toEqual(['gpu-idle train', 'few-loaders train']);
  expect(play.advice[1]?.message).toMatch(
    /^Too few loader processes \(2 of 4 declared\): the GPU was used 12 % over \d+ s of training, a step took 250 ms$/,
  );
  // Once, also where they come and go.
  play.running = 4;
  play.go(30, idle);
  play.running = 1;
  expect(play.go(30, idle).codes).toHaveLength(2);

  const all = new Play('tfjs-node-gpu', 4);
  all.running = 4;
  expect(all.go(30, idle).codes).toEqual(['gpu-idle train']);
  const silent = new Play('tfjs-node-gpu');
  expect(silent.go(30, idle).codes).toEqual(['gpu-idle train']);
  // A busy card has all the data that it needs.
  expect(new Play('tfjs-node-gpu', 4).go(30, { stepsPerSecond: 4 }).codes).toEqual([]);
});
