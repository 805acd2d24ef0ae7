import { expect, test } from 'vitest';
import { openTestDatabase } from './open-test-database.ts';
import { attemptRow, checkpointRow, saveRow, sessionRow } from './rows.ts';

test('a session row comes back as it went in, and a patch changes only what it names', async () => {
  const { database } = openTestDatabase();
  const row = sessionRow('20261122_120000_abcd', {
    name: 'first',
    loss: 0.1,
    bestMetric: { name: 'accuracy', value: 0.97 },
    budget: {
      highestVerifiedStep: 5,
      withoutProgress: 0,
      fromSameCheckpoint: 0,
      stepsBack: 0,
      restarts: 1,
      hostOomRetried: false,
    },
  });
  await database.write(() => database.sessions.upsert(row));
  expect(database.sessions.find(row.id)).toEqual(row);
  await database.write(({ sessions }) =>
    sessions.patch(row.id, { state: 'completed', workerPid: null, loss: Number.NaN }, 'later'),
  );
  expect(database.sessions.find(row.id)).toEqual({
    ...row,
    state: 'completed',
    workerPid: null,
    loss: null,
    updatedAt: 'later',
  });
  await database.write(({ sessions }) =>
    sessions.recordProgress(row.id, { epoch: 2, step: 30, totalSteps: 90, loss: 0.5 }, 'much later'),
  );
  expect(database.sessions.find(row.id)).toMatchObject({
    epoch: 2,
    step: 30,
    totalSteps: 90,
    loss: 0.5,
    name: 'first',
  });
});

test('the session row follows its checkpoints, whatever becomes of them', async () => {
  const { database } = openTestDatabase();
  const id = 's';
  const shown = () => {
    const row = database.sessions.find(id);
    return [row?.checkpoints, row?.lastCheckpointStep, row?.lastCheckpointAt];
  };
  await database.write(({ sessions, checkpoints }) => {
    sessions.upsert(sessionRow(id, { checkpoints: 99 }));
    for (let sequence = 1; sequence <= 3; sequence += 1) checkpoints.upsert(checkpointRow(id, sequence));
  });
  expect(shown()).toEqual([3, 300, '2026-11-22T12:03:00.000Z']);
  await database.write(({ checkpoints }) => checkpoints.setState(id, 3, 'quarantined'));
  expect(shown()).toEqual([2, 200, '2026-11-22T12:02:00.000Z']);
  await database.write(({ checkpoints }) => checkpoints.setState(id, 1, 'removed'));
  expect(shown()).toEqual([1, 200, '2026-11-22T12:02:00.000Z']);
  await database.write(({ checkpoints }) => checkpoints.move(id, 2, '/q/2', 'missing'));
  expect(shown()).toEqual([0, null, null]);
  await database.write(({ sessions, checkpoints }) => {
    checkpoints.upsert(checkpointRow(id, 3, { state: 'verified' }));
    sessions.upsert(sessionRow(id, { step: 5 }));
  });
  expect(shown()).toEqual([1, 300, '2026-11-22T12:03:00.000Z']);
});

test('a checkpoint that is reported again stays one row, and verified stays verified', async () => {
  const { database } = openTestDatabase();
  await database.write(({ sessions, checkpoints }) => {
    sessions.upsert(sessionRow('s'));
    checkpoints.upsert(checkpointRow('s', 1, { state: 'verified' }));
    checkpoints.upsert(checkpointRow('s', 1));
  });
  expect(database.checkpoints.ofSession('s')).toEqual([checkpointRow('s', 1, { state: 'verified' })]);
  // Another commit under the same number, after an index was rebuilt wrongly, is not verified by its predecessor.
  await database.write(({ checkpoints }) => checkpoints.upsert(checkpointRow('s', 1, { digest: 'other' })));
  expect(database.checkpoints.find('s', 1)?.state).toBe('durable');
  await database.write(({ checkpoints }) => checkpoints.upsert(checkpointRow('s', 2)));
  expect(database.checkpoints.presentIn('s').map(({ sequence }) => sequence)).toEqual([2, 1]);
});

test('attempts are written before the spawn and completed piece by piece', async () => {
  const { database } = openTestDatabase();
  await database.write(({ sessions, attempts }) => {
    sessions.upsert(sessionRow('s'));
    attempts.upsert(attemptRow('s', 1));
    attempts.upsert(attemptRow('s', 2, { resumedFromSequence: 4 }));
    attempts.patch('s', 2, { pid: 7, groupPid: 6, startTime: '123', bootId: 'b' });
    attempts.patch('s', 2, { endedAt: 'end', exitCode: 1, class: 'error', evidence: { stderr: ['a', 'b'] } });
    attempts.patch('s', 2, {});
  });
  const second = attemptRow('s', 2, {
    resumedFromSequence: 4,
    pid: 7,
    groupPid: 6,
    startTime: '123',
    bootId: 'b',
    endedAt: 'end',
    exitCode: 1,
    class: 'error',
    evidence: { stderr: ['a', 'b'] },
  });
  expect(database.attempts.ofSession('s')).toEqual([attemptRow('s', 1), second]);
  expect(database.attempts.newestOf('s')).toEqual(second);
  expect(database.attempts.find('s', 3)).toBeNull();
});

test('transitions, events and saves keep the order in which they came, whatever the clock said', async () => {
  const { database } = openTestDatabase();
  const transition = (event: string, at: string) => ({
    session: 's',
    at,
    attempt: 1,
    from: 'running',
    event,
    to: 'saving',
    detail: { deadline: 5 },
  });
  const event = (name: string, at: string) => ({ session: 's', at, attempt: null, name, detail: { name } });
  await database.write(({ sessions, transitions, events, saves }) => {
    sessions.upsert(sessionRow('s'));
    transitions.record(transition('one', '2030'));
    transitions.record(transition('two', '2020'));
    events.record(event('saved', '2030'));
    events.record(event('worker-ended', '2020'));
    events.record(event('saved', '2010'));
    saves.record(saveRow('s', { writeMs: 20 }));
    saves.record(saveRow('s', { outcome: 'failed', sequence: null, bytes: 0, writeMs: 99, message: 'no room' }));
    saves.record(saveRow('s', { outcome: 'skipped', sequence: null, bytes: 0, writeMs: 0 }));
  });
  expect(database.transitions.ofSession('s')).toEqual([transition('one', '2030'), transition('two', '2020')]);
  expect(database.transitions.latestOf('s')?.event).toBe('two');
  expect(database.events.ofSession('s').map(({ at }) => at)).toEqual(['2030', '2020', '2010']);
  expect(database.events.ofSession('s', { limit: 2 }).map(({ at }) => at)).toEqual(['2020', '2010']);
  expect(database.events.newestNamed('s', 'saved')).toEqual(event('saved', '2010'));
  expect(database.saves.totalsOf('s')).toEqual({ saved: 1, failed: 1, skipped: 1, bytes: 500, longestWriteMs: 20 });
  expect(database.saves.totalsOf('none').saved).toBe(0);
  expect(database.saves.ofSession('s')[1]?.message).toBe('no room');
});

test('removing a session removes all that belongs to it', async () => {
  const { database } = openTestDatabase();
  await database.write(({ sessions, attempts, checkpoints }) => {
    sessions.upsert(sessionRow('s'));
    attempts.upsert(attemptRow('s', 1));
    checkpoints.upsert(checkpointRow('s', 1));
    sessions.remove('s');
  });
  expect(database.attempts.ofSession('s')).toEqual([]);
  expect(database.checkpoints.ofSession('s')).toEqual([]);
});

test('the same line is known by working directory, trainer, arguments and name; the newest wins', async () => {
  const { database } = openTestDatabase();
  await database.write(({ sessions }) => {
    sessions.upsert(sessionRow('a', { createdAt: '2026-01-01' }));
    sessions.upsert(sessionRow('b', { createdAt: '2026-01-02' }));
    sessions.upsert(sessionRow('c', { createdAt: '2026-01-03', name: 'named' }));
    sessions.upsert(sessionRow('d', { createdAt: '2026-01-04', args: [] }));
  });
  const { cwd, trainer, args } = sessionRow('x');
  expect(database.sessions.newestByIdentity({ cwd, trainer, args, name: null })?.id).toBe('b');
  expect(database.sessions.newestByIdentity({ cwd, trainer, args, name: 'named' })?.id).toBe('c');
  expect(database.sessions.newestByIdentity({ cwd, trainer, args: ['x'], name: null })).toBeNull();
  expect(database.sessions.list().map(({ id }) => id)).toEqual(['d', 'c', 'b', 'a']);
  expect(database.sessions.list({ limit: 2 }).map(({ id }) => id)).toEqual(['d', 'c']);
  expect(database.sessions.count()).toBe(4);
});
