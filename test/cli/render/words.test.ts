import { expect, test } from 'vitest';
import { NO_STORY } from '../../../src/cli/render/story.ts';
import { tell } from '../../../src/cli/render/words.ts';
import type { SupervisorEvent } from '../../../src/supervisor/events.ts';
import { chosen, ended, killed, opened, SESSION, saveFacts, started, summary } from './events.ts';

/** Everything said about these events in a row. */
function told(events: readonly SupervisorEvent[], weight: 'all' | 'always' = 'all'): string[] {
  let story = NO_STORY;
  const texts: string[] = [];
  for (const event of events) {
    const telling = tell(story, event);
    story = telling.story;
    for (const line of telling.lines) if (weight === 'all' || line.weight === 'always') texts.push(line.text);
  }
  return texts;
}

function expectFacts(text: string | undefined, facts: readonly (string | number)[]): void {
  for (const fact of facts) expect(text).toContain(String(fact));
}

test('a start names the session, whether it is new, and where and how often it saves', () => {
  expectFacts(told([opened]).join('\n'), [
    SESSION,
    'night run',
    'new',
    '/home/me/train.ts',
    '/runs/checkpoints',
    '/runs/best',
    'auto (10 s to 300 s)',
    '/runs/log.txt',
  ]);
  expect(told([{ ...opened, fresh: false }])[0]).toContain('continued');
  expect(told([{ ...opened, fresh: false, adopted: true }])[0]).toContain('still training');
  const counted = { ...opened, fresh: false, budget: { ...opened.budget, withoutProgress: 4 } };
  expectFacts(told([counted]).at(-1), ['4 attempts in a row without progress', 'given up after 6']);
});

test('a resumed start says from where, from which checkpoint, on what and what was lost', () => {
  const texts = told([{ ...opened, fresh: false }, chosen, started]);
  expectFacts(texts.at(-1), ['Resumed at epoch 7, step 3201', 'checkpoint 12', 'wasm', '14 s of work lost']);
});

test('work that took no time to speak of is counted in steps alone', () => {
  expect(told([{ ...opened, fresh: false }, { ...chosen, lostMs: 0 }, started]).at(-1)).not.toMatch(/ 0 ms/);
  const short = { ...summary, workLostMs: 0 };
  expectFacts(told([opened, ended({ summary: short })]).join('\n'), ['lost 13 steps and stood still']);
});

test('a fresh start names its backend', () => {
  expectFacts(told([{ ...started, sequence: null, step: 0, epoch: 0 }])[0], ['beginning', 'wasm']);
});

test('a crash takes three lines: what died and how we know, what it goes on from and why, in how long', () => {
  const texts = told(
    [opened, killed, chosen, started, { name: 'recovered', attempt: 2, step: 3202, downMs: 1_240 }],
    'always',
  );
  expect(texts).toHaveLength(3);
  expectFacts(texts[0], ['Attempt 1', 'killed', 'step 3214', 'SIGKILL', 'no lack of memory']);
  expectFacts(texts[1], ['checkpoint 12', 'epoch 7, step 3201', 'newest that verifies', '13 steps', '14 s']);
  expectFacts(texts[2], ['1.2 s', 'attempt 2', '3202']);
});

test('an exception is quoted by the line that says what happened', () => {
  const lastLines = ['/home/me/train.ts:7', 'TypeError: x is not a function', '    at train (train.ts:7:3)'];
  const texts = told(
    [{ ...killed, class: 'error', code: 1, signal: null, reason: 'uncaught exception', lastLines }],
    'always',
  );
  expectFacts(texts[0], ['exit code 1', 'uncaught exception']);
  expect(texts[1]).toContain('TypeError: x is not a function');
});

test('checkpoints that were passed over are named with the reason', () => {
  const candidates = [
    {
      sequence: 13,
      step: 3300,
      epoch: 7,
      place: 'session',
      path: '/p',
      verdict: 'unreadable',
      reason: 'it could not be read (EIO)',
      quarantinedTo: null,
    },
    {
      sequence: 12,
      step: 3201,
      epoch: 7,
      place: 'session',
      path: '/p',
      verdict: 'chosen',
      reason: '',
      quarantinedTo: null,
    },
  ] as const;
  const texts = told([
    { name: 'checkpoint-quarantined', sequence: 14, to: '/q/14', reason: 'chunk 3 of tensors.safetensors differs' },
    { ...chosen, candidates },
  ]);
  expectFacts(texts[0], ['14', 'damaged', 'chunk 3']);
  expectFacts(texts[1], ['/q/14']);
  expectFacts(texts[2], ['13', 'could not be read', 'EIO']);
  expectFacts(texts[3], ['checkpoint 12']);
});

test('nothing lost is said as such, one step is one step', () => {
  expect(told([{ ...chosen, stepsLost: 0, lostMs: null }])[0]).toContain('nothing lost');
  expect(told([{ ...chosen, stepsLost: 1, lostMs: null }])[0]).toMatch(/1 step lost/);
});

test('each stage of a stop tells its deadline and what one more signal does', () => {
  const stop = (stage: 'saving' | 'terminating' | 'killing', lastStepAgeMs: number | null = null) =>
    told([{ name: 'stop-requested', signal: 'SIGINT', stage, deadlineMs: 60_000, lastStepAgeMs }], 'always').join('\n');
  expectFacts(stop('saving'), ['SIGINT', 'saving', '1 min', 'Ctrl-C again', 'SIGTERM']);
  expectFacts(stop('saving', 20_000), ['20 s ago']);
  expect(stop('saving', 20)).not.toContain('ago');
  expectFacts(stop('terminating'), ['SIGTERM', '1 min', 'Ctrl-C again', 'kills']);
  expectFacts(stop('killing'), ['SIGKILL', 'children']);
  expect(
    told([{ name: 'stop-requested', signal: 'SIGTERM', stage: 'saving', deadlineMs: 1, lastStepAgeMs: null }])[0],
  ).not.toContain('Ctrl-C');
});

test('a lost terminal gives nothing up, so it is not said that it would', () => {
  const text = told([
    { name: 'stop-requested', signal: 'SIGHUP', stage: 'saving', deadlineMs: 1, lastStepAgeMs: null },
  ])[0];
  expectFacts(text, ['SIGHUP: saving', 'SIGTERM gives up the save', 'a second time kills']);
});

test('a stop that a command asked for speaks of the first Ctrl-C, and waits for an adopted worker before it saves', () => {
  const asked = {
    name: 'stop-requested',
    signal: 'SIGTERM',
    reason: 'nkat-recover stop',
    lastStepAgeMs: null,
  } as const;
  const saving = told([{ ...asked, stage: 'saving', deadlineMs: 60_000 }])[0];
  expectFacts(saving, ['nkat-recover stop: saving', 'Ctrl-C gives up the save', 'a second time kills']);
  const reaching = told([{ ...asked, stage: 'reaching', deadlineMs: 20_000 }])[0];
  expectFacts(reaching, ['waiting up to 20 s for the worker']);
});

test('the end without a save names the checkpoint that it went on from, and whose time it tells', () => {
  const unsaved = { ...summary, lastCheckpoint: null };
  const wentOnFrom = { sequence: 3, epoch: 2, step: 49 };
  const end = (facts: Partial<typeof summary>) =>
    told([opened, ended({ outcome: 'stopped-unsaved', summary: { ...unsaved, ...facts } })]).join('\n');
  expect(end({ wentOnFrom })).toContain('the newest is checkpoint 3 at epoch 2, step 49');
  expect(end({})).toContain('it has no checkpoint yet');
  expect(end({ adopted: true })).toMatch(/Trained .* since the worker was adopted/);
  expect(end({})).not.toContain('adopted');
});

test('routine saves are details, the others are events; failures show, but for those that a warning tells once', () => {
  const weightOf = (event: SupervisorEvent) => tell(NO_STORY, event).lines[0]?.weight;
  expect(weightOf({ name: 'saved', ...saveFacts })).toBe('detail');
  expect(weightOf({ name: 'saved', ...saveFacts, kinds: ['auto', 'best'] })).toBe('event');
  const failed = (kinds: string[], code = 'io') =>
    weightOf({ name: 'save-failed', step: 1, kinds, code, message: 'why' });
  expect([['emergency'], ['manual', 'auto'], ['final']].map((kinds) => failed(kinds))).toEqual(Array(3).fill('always'));
  expect([failed(['auto']), failed(['auto', 'best']), failed(['auto'], 'no-space')]).toEqual(Array(3).fill(undefined));
  expect(failed(['auto'], 'superseded')).toBe('detail');
  expectFacts(told([{ name: 'saved', ...saveFacts, kinds: ['emergency'], reason: 'SIGINT' }])[0], [
    14,
    'epoch 7, step 3300',
    'emergency',
    'SIGINT',
    '4.2 MB',
  ]);
});

test('the end sums up time, losses, attempts, saves and the best metric', () => {
  const text = told([opened, ended({})]).join('\n');
  expectFacts(text, [
    'Completed',
    SESSION,
    '12 min 3 s',
    'lost 13 steps (14 s of work) and stood still for 4.2 s in 2 restarts',
    '1 completed',
    '2 killed',
    '14 saves',
    '1 more failed',
    'accuracy 0.9713',
    'abcdef',
  ]);
});

test('a stop with a save says which and how to continue', () => {
  expectFacts(told([opened, ended({ outcome: 'stopped-saved' })]).join('\n'), [
    'verified',
    'checkpoint 14',
    'step 3300',
    'same line again',
    `nkat-recover resume ${SESSION}`,
  ]);
  const unsaved = told([
    opened,
    ended({ outcome: 'stopped-unsaved', summary: { ...summary, lastCheckpoint: null } }),
  ]).join('\n');
  expectFacts(unsaved, ['without a confirmed save', 'no checkpoint']);
});

test('a trainer that cannot start is shown by its own last lines and no summary', () => {
  const lastLines = ['train.ts:3', 'SyntaxError: Unexpected token'];
  const text = told([
    opened,
    ended({ outcome: 'config-error', reason: 'exit code 1 before the first step', lastLines }),
  ]).join('\n');
  expectFacts(text, ['cannot start', 'SyntaxError: Unexpected token', 'train.ts:3']);
  expect(text).not.toContain('Trained');
});

test('its last lines are not told once more below its output', () => {
  const end = ended({ outcome: 'config-error', reason: 'exit code 78', lastLines: ['SyntaxError: Unexpected token'] });
  const texts = tell({ ...NO_STORY, showsOutput: true }, end).lines.map(({ text }) => text);
  expect(texts).toEqual(['The trainer cannot start: exit code 78']);
});

test.each([
  ['gave-up', 'nkat-recover show'],
  ['no-checkpoint', 'nkat-recover explain'],
  ['store-missing', 'Mount'],
  ['diverged', 'resume'],
  ['unkillable', 'reboot'],
] as const)('%s says why and names what helps, unless the event brings its own hint', (outcome, help) => {
  const text = told([opened, ended({ outcome, reason: 'because of it' })], 'always').join('\n');
  expectFacts(text, ['because of it', help]);
  expect(told([opened, ended({ outcome, hint: 'Do this.' })]).at(-1)).toBe('Do this.');
});

test('a hang, a divergence and a planned restart name their numbers', () => {
  expectFacts(told([{ name: 'hang-detected', phase: 'train', silentMs: 70_000, limitMs: 60_000 }])[0], [
    '1 min 10 s',
    'train',
    '1 min',
  ]);
  expectFacts(told([{ name: 'diverged', adapts: false, step: 10, loss: 'NaN' }])[0], ['NaN', 'step 10']);
  expectFacts(told([{ name: 'restart-planned', delayMs: 5_000, reason: 'killed again', withoutProgress: 2 }])[0], [
    '5 s',
    'killed again',
    '2 attempts',
  ]);
});

test('a crash before the first checkpoint says that all of it is lost', () => {
  const fresh = { ...started, sequence: null, step: 0, epoch: 0 };
  const texts = told([opened, killed, fresh, { name: 'recovered', attempt: 2, step: 1, downMs: 900 }], 'always');
  expect(texts).toHaveLength(3);
  expectFacts(texts[1], ['no checkpoint', 'beginning', '3214 steps lost']);
});

test('a restart does not repeat the reason that was just given', () => {
  const planned = { name: 'restart-planned', delayMs: 5_000, reason: killed.reason, withoutProgress: 1 } as const;
  expect(told([killed, planned]).at(-1)).toBe('Restarting in 5 s');
});

test('a routine save is told once, by its durable checkpoint', () => {
  const { kinds, reason, step } = saveFacts;
  const routine = told([
    { name: 'save-started', step, kinds, reason },
    { name: 'saved', ...saveFacts },
    { name: 'checkpoint-verified', ...saveFacts },
  ]);
  expect(routine).toHaveLength(1);
  expectFacts(told([{ name: 'save-started', step, kinds: ['emergency'], reason: 'SIGINT' }])[0], [
    '3300',
    'emergency',
    'SIGINT',
  ]);
});
