/** The watch over a full disk, in virtual time. */
import { expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { storeLayout } from '../../src/checkpoint/layout.ts';
import { type RoomNews, RoomWatch } from '../../src/worker/thread/room-watch.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

const MIB = 1024 * 1024;

/** A disk whose free bytes are set, and a clock that goes on when it is told to. */
class Rig {
  freeBytes = 0;
  nowMs = 0;
  rooms = 0;
  mode: 'continue' | 'pause' = 'continue';
  readonly news: RoomNews[] = [];
  #due: { atMs: number; work: () => void }[] = [];
  readonly #layout = storeLayout(temporaryDirectory(), temporaryDirectory(), '.');
  #looks = 0;
  readonly watch = new RoomWatch({
    files: { ...nodeFiles, freeBytes: async () => this.freeBytes },
    layout: () => this.#layout,
    mode: () => this.mode,
    onRoom: () => {
      this.rooms += 1;
    },
    tell: (news) => this.news.push(news),
    nowMs: () => this.nowMs,
    later: (ms, work) => {
      this.#looks += 1;
      this.#due.push({ atMs: this.nowMs + ms, work });
    },
  });

  async pass(ms: number): Promise<void> {
    const until = this.nowMs + ms;
    for (;;) {
      const next = this.#due.filter(({ atMs }) => atMs <= until).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#due = this.#due.filter((item) => item !== next);
      this.nowMs = next.atMs;
      const before = this.rooms + this.#looks;
      next.work();
      // A look ends with room or with another look; what it asks the disk is answered before time goes on.
      while (this.rooms + this.#looks === before) await new Promise((resolve) => setImmediate(resolve));
    }
    this.nowMs = until;
  }
}

test('told once when it begins, tried when there is room, told once when a save went through', async () => {
  const rig = new Rig();
  rig.watch.failed(MIB, 'disk full', null);
  await rig.pass(60_000);
  expect(rig.rooms).toBe(0);
  expect(rig.news.map(({ available }) => available)).toEqual([false]);
  expect(rig.news[0]?.message).toContain('training goes on without saves');
  rig.freeBytes = 64 * MIB;
  await rig.pass(1_000);
  expect(rig.rooms).toBe(1);
  rig.watch.durable(MIB);
  expect(rig.news.map(({ available }) => available)).toEqual([false, true]);
  expect(rig.news[1]?.message).toContain('1 min');
  rig.watch.durable(MIB);
  await rig.pass(3_600_000);
  expect(rig.news).toHaveLength(2);
  expect(rig.rooms).toBe(1);
});

test('room that is none: the tries grow rarer, to one a minute, and nothing is told again', async () => {
  const rig = new Rig();
  rig.freeBytes = 64 * MIB;
  const tries: number[] = [];
  rig.watch.failed(MIB, 'quota exceeded', null);
  for (let seconds = 0; seconds < 600; seconds += 1) {
    await rig.pass(1_000);
    if (rig.rooms === tries.length) continue;
    tries.push(seconds);
    rig.watch.failed(MIB, 'quota exceeded', null);
  }
  const gaps = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
  expect(gaps.slice(0, 4)).toEqual([2, 4, 8, 16]);
  expect(gaps.at(-1)).toBe(60);
  expect(rig.news).toHaveLength(1);
});

test('while it lasts the operator is reminded every half hour', async () => {
  const rig = new Rig();
  rig.mode = 'pause';
  rig.watch.failed(MIB, 'disk full', null);
  await rig.pass(1_799_000);
  expect(rig.news).toHaveLength(1);
  await rig.pass(2_000);
  expect(rig.news).toHaveLength(2);
  expect(rig.news[1]?.message).toContain('training pauses');
  await rig.pass(1_800_000);
  expect(rig.news).toHaveLength(3);
});

test('a supervisor that was not there is told what holds now; a small save that fits does not stand for a large one', async () => {
  const rig = new Rig();
  rig.watch.tellAgain();
  expect(rig.news).toHaveLength(0);
  rig.watch.failed(100 * MIB, 'disk full', null);
  rig.watch.failed(MIB, 'disk full', null);
  rig.watch.tellAgain();
  expect(rig.news).toHaveLength(2);
  rig.freeBytes = 50 * MIB;
  await rig.pass(120_000);
  expect(rig.rooms).toBe(0);
  rig.freeBytes = 400 * MIB;
  await rig.pass(1_000);
  expect(rig.rooms).toBe(1);
});
