import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { chooseResumePoint, type ResumeRequest } from '../../src/supervisor/resume-point.ts';
import { temporaryLayout } from '../checkpoint/store.ts';

const request = (recordedCommit: boolean, allowFresh = false): ResumeRequest => ({
  ...{ setAside: new Set<number>(), stepBackFrom: null, belowStep: null, only: null },
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
