import { expect, test } from 'vitest';
import { sharedChunkMemory } from '../../src/checkpoint/bounce-buffers.ts';
import { CHUNK_BYTES } from '../../src/checkpoint/digest.ts';
import { alignedOrder, ChunkFiller } from '../../src/worker/chunk-filler.ts';
import { ReadBudget } from '../../src/worker/read-budget.ts';
import type { SaveRequest } from '../../src/worker/save-in-flight.ts';
import { Saver } from '../../src/worker/saver.ts';
import type { SnapshotTensor } from '../../src/worker/state.ts';
import type { ToThread } from '../../src/worker/thread/messages.ts';

const HEADER = 64;

/** Bytes that tell where they belong. */
function tensor(name: string, bytes: number, seed: number): SnapshotTensor {
  const values = Buffer.alloc(
    bytes,
    Uint8Array.from({ length: 251 }, (_, index) => (index * 7 + seed) % 251),
  );
  const read = (target: Uint8Array, from: number): void => target.set(values.subarray(from, from + target.length));
  return { name, dtype: 'U8', shape: [bytes], read };
}

/** A saver whose copying takes a millisecond a slice, and what it posted. `whenWaiting`: what comes while it waits. */
function saverOf(tensors: readonly SnapshotTensor[], slots = 2, whenWaiting: (id: number) => void = () => undefined) {
  const posted: ToThread[] = [];
  const memory = sharedChunkMemory(slots);
  let nowMs = 0;
  let released = 0;
  const slow = tensors.map((one) => ({
    ...one,
    read(target: Uint8Array, from: number): void {
      nowMs++;
      one.read(target, from);
    },
  }));
  const saver = new Saver({
    post: (message) => posted.push(message),
    now: () => nowMs,
    measured: () => undefined,
    waitFor: () => whenWaiting(1),
  });
  const request = (step: number, kinds: readonly string[] = ['auto']): SaveRequest => ({
    step,
    epoch: 0,
    kinds,
    reason: null,
    requests: [],
    metrics: {},
    memory: {},
    backend: 'test',
    versions: {},
    content: () => ({ tensors: slow, json: null, release: () => released++ }),
  });
  const of = <T extends ToThread['type']>(type: T) =>
    posted.filter((message): message is Extract<ToThread, { type: T }> => message.type === type);
  return {
    saver,
    request,
    of,
    memory,
    get released() {
      return released;
    },
    passes(ms: number) {
      nowMs += ms;
    },
    ready(id: number) {
      saver.receive({ type: 'save-ready', id, memory, headerBytes: HEADER });
      for (let slot = 0; slot < slots; slot++) saver.receive({ type: 'save-slot', id, slot });
    },
  };
}

test('the chunks, one after the other, are the file behind its header, through memory smaller than it', () => {
  const tensors = [tensor('a', 5 * 1024 * 1024, 1), tensor('empty', 0, 0), tensor('b', 21 * 1024 * 1024 + 3, 2)];
  const sized = tensors.map((one) => ({ tensor: one, bytes: one.shape[0] ?? 0 }));
  const memory = sharedChunkMemory(2);
  const filler = new ChunkFiller(sized, memory, HEADER);
  const parts: Buffer[] = [];
  for (const slot of [0, 1]) filler.freed(slot);
  while (!filler.done) {
    const chunk = filler.copySlice();
    if (chunk === null) continue;
    const { slot, bytes } = chunk;
    parts.push(Buffer.from(new Uint8Array(memory, slot * CHUNK_BYTES, bytes).slice()));
    new Uint8Array(memory, slot * CHUNK_BYTES, CHUNK_BYTES).fill(0xff);
    filler.freed(slot);
  }
  const file = Buffer.concat(parts).subarray(HEADER);
  const expected = Buffer.concat(
    tensors.map((one) => {
      const bytes = Buffer.alloc(one.shape[0] ?? 0);
      one.read(bytes, 0);
      return bytes;
    }),
  );
  expect(file.equals(expected)).toBe(true);
});

test('what would shift others against its own alignment comes last, the largest first', () => {
  const sizes = [3, 16, 4, 24, 12];
  const ordered = alignedOrder(sizes.map((bytes) => ({ tensor: tensor(String(bytes), bytes, 0), bytes })));
  expect(ordered.map(({ bytes }) => bytes)).toEqual([16, 24, 12, 4, 3]);
});

test('a step copies no longer than its budget, in the long run a small share of the time, and stops without room', () => {
  const { saver, request, of, ready, passes } = saverOf([tensor('a', 40 * 1024 * 1024, 1)]);
  saver.begin(request(1));
  saver.step(100);
  expect(of('save-chunk')).toEqual([]);
  ready(1);
  saver.step(100);
  // 4 ms are 4 slices of 1 MiB: no chunk of 8 MiB is full.
  expect(of('save-chunk')).toEqual([]);
  saver.step(100);
  expect(of('save-chunk')).toEqual([]);
  for (let step = 0; step < 40; step++) {
    passes(100);
    saver.step(100);
  }
  // Both chunks are full and none was given back.
  expect(of('save-chunk').map(({ slot, bytes }) => [slot, bytes])).toEqual([
    [0, CHUNK_BYTES],
    [1, CHUNK_BYTES],
  ]);
  expect(of('save-finish')).toEqual([]);
});

test('a hurried save goes on with each chunk that is given back, and is released once', async () => {
  const world = saverOf([tensor('a', 40 * 1024 * 1024, 1)]);
  const { saver, request, of, ready } = world;
  const handle = saver.begin(request(1, ['emergency']));
  saver.hurry();
  ready(1);
  for (let chunk = 0; of('save-finish').length === 0; chunk++) {
    saver.receive({ type: 'save-slot', id: 1, slot: chunk % 2 });
  }
  await handle.handedOver;
  expect(of('save-chunk')).toHaveLength(6);
  expect(world.released).toBe(1);
});

test('a second save waits with its snapshot and begins when the first has ended; a third has no place', async () => {
  const { saver, request, of, ready } = saverOf([tensor('a', 16, 1)]);
  const first = saver.begin(request(1));
  const second = saver.begin(request(2, ['best']));
  expect([saver.hasPlace, of('save-begin').map(({ id }) => id)]).toEqual([false, [1]]);
  saver.join(2, 0, ['manual'], 'asked for', ['r1']);
  ready(1);
  saver.hurry();
  saver.receive({ type: 'save-durable', id: 1, sequence: 1, path: '/1' });
  expect((await first.outcome).status).toBe('durable');
  expect(of('save-begin')[1]).toMatchObject({ id: 2, step: 2, kinds: ['best', 'manual'], requests: ['r1'] });
  ready(2);
  saver.receive({ type: 'save-durable', id: 2, sequence: 2, path: '/2' });
  expect((await second.outcome).status).toBe('durable');
  expect(saver.has(2, 0)).toBe(true);
});

test('a periodic save waits behind a best model, never behind another periodic save', () => {
  const { saver, request } = saverOf([tensor('a', 16, 1)]);
  saver.begin(request(1, ['best']));
  expect(saver.takesPeriodic).toBe(true);
  saver.begin(request(2));
  expect(saver.takesPeriodic).toBe(false);
  saver.supersede(3, 0);
  expect(saver.takesPeriodic).toBe(true);
});

test('an emergency takes the place of a periodic save of an earlier step, not of a best one', async () => {
  const world = saverOf([tensor('a', 16, 1)]);
  const { saver, request, of } = world;
  const periodic = saver.begin(request(1));
  saver.supersede(2, 0);
  expect(await periodic.outcome).toMatchObject({ status: 'failed', code: 'superseded' });
  saver.begin(request(2, ['best']));
  saver.supersede(3, 0);
  expect(of('save-abort').map(({ id }) => id)).toEqual([1]);
  expect(world.released).toBe(1);
});

test('a crash of the thread costs the save in flight; the one that waited is announced to the next thread', async () => {
  const { saver, request, of } = saverOf([tensor('a', 16, 1)]);
  const first = saver.begin(request(1));
  saver.begin(request(2, ['best']));
  saver.lost('it crashed');
  expect(await first.outcome).toMatchObject({ status: 'failed', code: 'thread-crashed' });
  expect(of('save-begin').map(({ id }) => id)).toEqual([1, 2]);
});

test('the budget: 4 ms a step at the most, or 1 % of a long one, and 2 % of the time in the long run', () => {
  const budget = new ReadBudget();
  expect(budget.allow(1_000, 10)).toBe(4);
  budget.spent(4);
  expect(budget.allow(1_000, 10)).toBe(0);
  expect(budget.allow(1_100, 10)).toBeCloseTo(2);
  expect(budget.allow(9_000, 10)).toBe(4);
  budget.spent(10);
  expect(budget.allow(9_010, 10)).toBe(0);
  expect(budget.allow(99_010, 20_000)).toBe(200);
});

test('the budget of a save that follows the one before at once is 0.8 % of the time; after a rest as long as that one took, 2 % again', () => {
  const budget = new ReadBudget();
  const inOneSecond = (nowMs: number): number => {
    budget.spent(budget.allow(nowMs, 1_000));
    return budget.allow(nowMs + 1_000, 10_000);
  };
  budget.begin(10_000);
  expect(inOneSecond(11_000)).toBeCloseTo(20);
  budget.end(20_000);
  budget.begin(20_100);
  expect(inOneSecond(21_000)).toBeCloseTo(8);
  budget.end(30_100);
  budget.begin(40_099);
  expect(inOneSecond(41_000)).toBeCloseTo(8);
  budget.end(42_000);
  budget.begin(44_000);
  expect(inOneSecond(45_000)).toBeCloseTo(20);
});

test('a save that follows another at once is read over more steps than one that had a rest before it', () => {
  const world = saverOf([tensor('a', 14 * 1024 * 1024, 1)]);
  const { saver, request, of } = world;
  const stepsToRead = (id: number): number => {
    saver.begin(request(id));
    world.ready(id);
    let steps = 0;
    for (; of('save-finish').length < id; steps++) {
      world.passes(100);
      saver.step(100);
    }
    saver.receive({ type: 'save-durable', id, sequence: id, path: '' });
    return steps;
  };
  const first = stepsToRead(1);
  expect(stepsToRead(2)).toBeGreaterThan(2 * first);
  world.passes(60_000);
  expect(stepsToRead(3)).toBe(first);
});

test('where steps are long, a save is read at the very boundary that begins it, as soon as there is memory', () => {
  const world = saverOf([tensor('a', 16, 1)], 1, (id) => world.ready(id));
  const { saver, request, of } = world;
  saver.step(20_000);
  saver.begin(request(1));
  expect(of('save-finish').map(({ id }) => id)).toEqual([1]);
});

test('where steps are short, nothing is waited for at the boundary', () => {
  const world = saverOf([tensor('a', 16, 1)], 1, () => expect.unreachable());
  const { saver, request, of } = world;
  saver.step(100);
  saver.begin(request(1));
  expect(of('save-finish')).toEqual([]);
});
