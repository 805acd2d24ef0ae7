import { expect, test } from 'vitest';
import type { SessionsDatabase } from '../../src/sessions/database.ts';
import { openTestDatabase } from './open-test-database.ts';
import { sessionRow } from './rows.ts';

async function filled(): Promise<SessionsDatabase> {
  const { database } = openTestDatabase();
  await database.write(({ sessions }) => {
    sessions.upsert(sessionRow('20261120_100000_aaaa', { createdAt: '2026-11-20', name: 'mnist' }));
    sessions.upsert(sessionRow('20261121_100000_aaaa', { createdAt: '2026-11-21', name: 'mnist' }));
    sessions.upsert(sessionRow('20261121_100000_aaab', { createdAt: '2026-11-22', name: '20261121' }));
  });
  return database;
}

test('an id, a unique prefix, a name (the newest of it) and latest all name a session', async () => {
  const { sessions } = await filled();
  expect(sessions.resolve('20261121_100000_aaaa').id).toBe('20261121_100000_aaaa');
  expect(sessions.resolve('20261120').id).toBe('20261120_100000_aaaa');
  expect(sessions.resolve('mnist').id).toBe('20261121_100000_aaaa');
  expect(sessions.resolve('latest').id).toBe('20261121_100000_aaab');
  // Given on purpose, so it wins over a prefix of several.
  expect(sessions.resolve('20261121').id).toBe('20261121_100000_aaab');
});

test('a name wins over the beginning of another id, an id over a name', async () => {
  const database = await filled();
  await database.write(({ sessions }) => {
    sessions.upsert(sessionRow('20261123_100000_aaaa', { createdAt: '2026-11-23', name: '20261120' }));
    sessions.upsert(sessionRow('20261124_100000_aaaa', { createdAt: '2026-11-24', name: '20261120_100000_aaaa' }));
  });
  expect(database.sessions.resolve('20261120').id).toBe('20261123_100000_aaaa');
  expect(database.sessions.resolve('20261120_100000_aaaa').id).toBe('20261120_100000_aaaa');
  expect(database.sessions.resolve('20261120_').id).toBe('20261120_100000_aaaa');
});

test('an ambiguous prefix names the candidates, newest first', async () => {
  const { sessions } = await filled();
  expect(() => sessions.resolve('20261121_1')).toThrow(
    expect.objectContaining({
      code: 'session-ambiguous',
      message: "'20261121_1' could be 20261121_100000_aaab (20261121), 20261121_100000_aaaa (mnist)",
    }),
  );
});

test('what names none is told with the command that lists them', async () => {
  const { sessions } = await filled();
  for (const word of ['nothing', '', '%', '2026112_', 'MNIST']) {
    expect(() => sessions.resolve(word)).toThrow(
      expect.objectContaining({ code: 'session-not-found', hint: expect.stringContaining('nkat-recover list') }),
    );
  }
});

test('latest of none', () => {
  const { database } = openTestDatabase();
  expect(() => database.sessions.resolve('latest')).toThrow('there is no session yet');
});
