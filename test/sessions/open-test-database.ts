import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { SessionsDatabase } from '../../src/sessions/database.ts';
import type { DatabaseNews, DatabaseOptions } from '../../src/sessions/database-options.ts';
import { openSessions } from '../../src/sessions/open.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

export interface TestDatabase {
  readonly path: string;
  readonly database: SessionsDatabase;
  readonly setAside: string | null;
  readonly news: DatabaseNews[];
}

/** A database in a directory of its own, or at the given path; closed when the test ends. */
export function openTestDatabase(
  path = join(temporaryDirectory(), 'state', 'sessions.db'),
  options: DatabaseOptions = {},
): TestDatabase {
  const news: DatabaseNews[] = [];
  const opened = openSessions(path, { onNews: (item) => news.push(item), ...options });
  onTestFinished(() => {
    opened.database.close();
  });
  return { path, ...opened, news };
}
