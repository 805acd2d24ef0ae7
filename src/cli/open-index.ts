/** The session index as a command finds it: opened, and brought up to date with the directories. */
import type { SessionsDatabase } from '../sessions/database.ts';
import { openSessions } from '../sessions/open.ts';
import type { CommandContext } from './context.ts';
import { line } from './render/line.ts';
import { paintLine, paintWith } from './render/paint.ts';

/** Opens the index for the length of `work`. */
export async function withIndex<T>(
  context: CommandContext,
  work: (database: SessionsDatabase) => Promise<T>,
): Promise<T> {
  const { database, setAside } = openSessions(context.home.database);
  try {
    if (setAside !== null) {
      const text = `The session database was damaged; it is kept as ${setAside} and rebuilt from the checkpoints.`;
      context.streams.err(paintLine(paintWith(context.terminal.colourErr), line(text, 'warning')));
    }
    return await work(database);
  } finally {
    database.close();
  }
}
