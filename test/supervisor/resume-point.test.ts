import { mkdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import type { StoreLayout } from '../../src/checkpoint/layout.ts';
import { chooseResumePoint, type ResumeRequest } from '../../src/supervisor/resume-point.ts';
import { claimed, save, temporaryLayout } from '../checkpoint/store.ts';

const request = (recordedCommit: boolean, allowFresh = false): ResumeRequest => ({
  ...{ setAside: new Set<number>(), stepBackFrom: null, belowStep: null, highestStep: -1, only: null },
  ...{ allowFresh, recordedCommit },
});

test('an empty directory is a fresh start only where nobody ever recorded a commit, or the operator says so', async () => {
  const layout = temporaryLayout();
  mkdirSync(layout.directory, { recursive: true });
  const choose = (wish: ResumeRequest) => chooseResumePoint(nodeFiles, layout, wish);
  expect(await choose(request(false))).toMatchObject({ kind: 'fresh' });
  expect(await choose(request(true))).toMatchObject({
    ...{ kind: 'none', missing: false, reason: 'checkpoints were committed, but none is left' },
  });
  expect(await choose(request(true, true))).toMatchObject({ kind: 'fresh' });
});

describe('where two attempts from one checkpoint ended without progress', () => {
  /** Checkpoints 1, 2 and 3, at steps 10, 20 and 30; the attempts resumed from 2. */
  async function store(): Promise<StoreLayout> {
    const layout = temporaryLayout();
    const claim = await claimed(layout);
    for (const step of [10, 20, 30]) await save({ layout, claim, step });
    return layout;
  }

  const afterTwo = (layout: StoreLayout, highestStep: number) =>
    chooseResumePoint(nodeFiles, layout, { ...request(true), stepBackFrom: 2, highestStep });

  test('the one before it is chosen, and nothing that was trained again up to the same step', async () => {
    const point = { sequence: 1, step: 10 };
    expect(await afterTwo(await store(), 30)).toMatchObject({ kind: 'checkpoint', steppedBack: true, point });
  });

  test('one that is above all of which anybody heard is progress: it is taken, and none is set aside', async () => {
    const layout = await store();
    const point = { sequence: 3, step: 30 };
    expect(await afterTwo(layout, 20)).toMatchObject({ kind: 'checkpoint', steppedBack: false, point });
    const stepped = { ...request(true), belowStep: 20, highestStep: 20 };
    expect(await chooseResumePoint(nodeFiles, layout, stepped)).toMatchObject({ kind: 'checkpoint', point });
  });
});
