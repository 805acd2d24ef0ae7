/** What a rehearsed trainer told, and what is made of it when it ends or has to be ended. */
import { expect, test } from 'vitest';
import { RehearsalStory } from '../../src/drill/rehearsal-story.ts';
import type { Hello } from '../../src/supervisor/channel-server.ts';

const HELLO: Hello = {
  v: 1,
  type: 'hello',
  role: 'worker',
  session: 'drill-1',
  attempt: 1,
  token: 'secret',
  pid: 4711,
  sdk: '0.0.9',
  step: 0,
  epoch: 0,
  phase: 'load',
  welcomed: false,
  resumed: false,
} as unknown as Hello;

const RESUME = { sequence: 7, step: 30, epoch: 1, path: '/checkpoints/7' };

function storyOf(until = { step: 31, epoch: null, save: false, fullDisk: false } as const): RehearsalStory {
  const limits = { connectMs: 10_000, totalMs: 60_000 };
  return new RehearsalStory({ resume: RESUME, until, limits, onProgress: () => undefined }, 1_000);
}

function restored(story: RehearsalStory, sequence: number | null = 7): void {
  story.take({ v: 1, type: 'restored', sequence, step: 30, epoch: 1, ms: 5, backend: 'arrays' } as never, 1_500);
}

function progress(story: RehearsalStory, step: number, nowMs: number): void {
  story.take({ v: 1, type: 'progress', step, epoch: 1 } as never, nowMs);
}

test('where a limit is met says how far it came', () => {
  const story = storyOf({ step: 40, epoch: null, save: false, fullDisk: false } as never);
  expect(story.told('no-connection', []).reason).toContain('did not connect within 10 s');
  story.connected(HELLO);
  expect(story.told('limit', [])).toMatchObject({
    outcome: 'timed-out',
    reason: 'the state was not put back within 60 s',
  });
  restored(story);
  expect(story.told('limit', []).reason).toBe('no step was made within 60 s');
  progress(story, 31, 1_900);
  progress(story, 33, 2_900);
  expect(story.told('limit', [])).toMatchObject({
    reason: 'it came to step 33 of 40 within 60 s',
    restoreMs: 500,
    firstStepMs: 400,
    reachedStep: 33,
  });
});

test('its own end counts as done only with its report, and says where and why it ended otherwise', () => {
  const story = storyOf();
  const end = { code: 1, signal: null } as never;
  expect(story.told(end, ['at x', 'TypeError: no', 'at y'])).toMatchObject({
    outcome: 'failed',
    reason: 'the trainer ended with exit code 1 before it connected: TypeError: no',
  });
  const shown = ["if (bad) throw new Error('no');", '         ^', 'NkatError: no such file', '    at y'];
  expect(story.told(end, shown).reason).toContain('before it connected: NkatError: no such file');
  story.connected(HELLO);
  expect(story.told(end, []).reason).toBe('the trainer ended with exit code 1 while it restored');
  restored(story);
  expect(story.told({ code: null, signal: 'SIGSEGV' } as never, []).reason).toBe(
    'the trainer ended with SIGSEGV in its step',
  );
  story.take({ v: 1, type: 'drilled', step: 31, epoch: 1, loss: 0.5, completed: false }, 2_000);
  expect(story.told({ code: 0, signal: null } as never, [])).toMatchObject({
    outcome: 'done',
    reason: null,
    loss: 0.5,
  });
});

test.each([
  ['it began from zero', (story: RehearsalStory): void => restored(story, null)],
  ['could not be loaded', (story: RehearsalStory): void => story.take({ type: 'unusable', reason: 'x' } as never, 0)],
  [
    'the loss was NaN',
    (story: RehearsalStory): void => story.take({ type: 'diverged', loss: 'NaN', step: 31 } as never, 0),
  ],
])('%s: failed, although it reported', (words, happens) => {
  const story = storyOf();
  story.connected(HELLO);
  happens(story);
  story.take({ v: 1, type: 'drilled', step: 31, epoch: 1, loss: 0.5, completed: false }, 2_000);
  const told = story.told({ code: 0, signal: null } as never, []);
  expect(told.outcome).toBe('failed');
  expect(told.reason).toContain(words);
});

test('an SDK that knows of no drills is ended past its step, which proves the same but no replay', async () => {
  for (const save of [false, true]) {
    const story = storyOf({ step: 31, epoch: null, save, fullDisk: false } as never);
    story.connected(HELLO);
    restored(story);
    progress(story, 32, 2_000);
    await story.passed;
    const told = story.told('passed', []);
    expect(told.outcome).toBe(save ? 'failed' : 'done');
    expect(told.warnings[0]).toContain('(0.0.9) knows of no drills');
  }
});
