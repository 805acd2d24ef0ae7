import type { SessionsDatabase } from '../../sessions/database.ts';
import type { SessionRow } from '../../sessions/types.ts';
import type { CommandContext } from '../context.ts';
import type { JsonFlag } from '../flags.ts';
import { withIndex } from '../open-index.ts';
import { paintWith } from '../render/paint.ts';
import { sessionJson } from '../render/session-json.ts';
import { sessionTable } from '../render/session-table.ts';
import type { Present } from '../session-state.ts';

export interface ListedSession {
  readonly row: SessionRow;
  readonly present: Present;
}

/** `list`: every session, newest first, each with the state that it is in right now. */
export function list(flags: JsonFlag, context: CommandContext): Promise<number> {
  return withIndex(context, async (database) => {
    const sessions = await listedSessions(database);
    const { streams, terminal, clocks } = context;
    if (flags.json === true) {
      streams.out(`${JSON.stringify({ version: 1, sessions: sessions.map(sessionJson) })}\n`);
    } else if (sessions.length === 0) {
      streams.out('No session yet. Start one: nkat-recover run train.ts\n');
    } else {
      const lines = sessionTable(sessions, terminal.columnsOut(), clocks.now(), paintWith(terminal.colourOut));
      streams.out(`${lines.join('\n')}\n`);
    }
    return 0;
  });
}

/** Only a session that was running can have changed unseen: the directories of the others are not touched. */
async function listedSessions(database: SessionsDatabase): Promise<ListedSession[]> {
  const rows = database.sessions.list();
  const live = rows.filter(({ state }) => state === 'running' || state === 'orphaned');
  const present = live.length === 0 ? new Map<string, Present>() : await presentOf(live);
  return rows.map((row) => {
    const settled: Present = { state: row.state, ownerPid: null, workerAlive: false };
    return { row, present: present.get(row.id) ?? settled };
  });
}

/** Loaded only where it is needed: reading claims costs more than listing a thousand sessions. */
async function presentOf(rows: readonly SessionRow[]): Promise<Map<string, Present>> {
  const [{ locateSession }, { ownWatch }, { nodeFiles }] = await Promise.all([
    import('../located-session.ts'),
    import('../session-state.ts'),
    import('../../checkpoint/files.ts'),
  ]);
  const watch = ownWatch();
  const found = new Map<string, Present>();
  for (const row of rows) found.set(row.id, (await locateSession(nodeFiles, row, watch)).present);
  return found;
}
