/** 33 hours at an interval of 180 s in virtual time, on real small files. */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { StoreFiles } from '../../src/checkpoint/files.ts';
import { settleCommit } from '../../src/checkpoint/settle.ts';
import { synchronousReads } from '../../src/checkpoint/synchronous-reads.ts';
import type { SavePolicy } from '../../src/protocol/messages.ts';
import { Periodic } from '../../src/worker/periodic.ts';
import { claimed, save, temporaryLayout } from '../checkpoint/store.ts';

const SECOND = 1_000;
const DURATION = 33 * 3_600 * SECOND;
const STEP = 10 * SECOND;

const POLICY: SavePolicy = {
  every: 180 * SECOND,
  everySteps: null,
  everyEpochs: null,
  overhead: 0.005,
  asyncSave: null,
  keep: 5,
  maxBytes: null,
  best: null,
  onFullDisk: null,
  bestMinDelta: null,
};

/** The real disk without waiting for it, through the page cache: no power is cut here. */
const unsynced: StoreFiles = {
  ...synchronousReads,
  syncDirectory: async () => {},
  open: async (path, mode) => ({ ...(await synchronousReads.open(path, mode)), sync: async () => {} }),
};

test('33 h at 180 s: 660 saves, 655 deletions, 5 remain', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout, unsynced);
  const periodic = new Periodic(POLICY, 0);
  let saves = 0;
  const removed: number[] = [];
  for (let nowMs = STEP; nowMs <= DURATION; nowMs += STEP) {
    const step = nowMs / STEP;
    if (!periodic.due(step, nowMs)) continue;
    periodic.begun(nowMs);
    const committed = await save({ layout, claim, step, files: unsynced });
    const retention = { keep: 5, maxBytes: null };
    const settled = await settleCommit(unsynced, { layout, committed, retention, resumedFrom: null });
    periodic.measured(1, committed.bytes);
    saves += 1;
    removed.push(...settled.removed);
  }
  expect([saves, removed.length]).toEqual([660, 655]);
  expect(removed).toEqual(Array.from({ length: 655 }, (_, index) => index + 1));
  expect(readdirSync(layout.directory).filter((name) => name.startsWith('checkpoint_'))).toHaveLength(5);
}, 300_000);
