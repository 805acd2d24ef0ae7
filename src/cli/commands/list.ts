import { nodeFiles } from '../../checkpoint/files.ts';
import type { SessionsDatabase } from '../../sessions/database.ts';
import type { SessionRow } from '../../sessions/types.ts';
import type { CommandContext } from '../context.ts';
import type { JsonFlag } from '../flags.ts';
import { locateSession } from '../located-session.ts';
import { withIndex } from '../open-index.ts';
import { paintWith } from '../render/paint.ts';
import { sessionJson } from '../render/session-json.ts';
import { sessionTable } from '../render/session-table.ts';
import { ownWatch, type Present } from '../session-state.ts';

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
  const watch = ownWatch();
  const listed: ListedSession[] = [];
  for (const row of database.sessions.list()) {
    const live = row.state === 'running' || row.state === 'orphaned';
    const settled: Present = { state: row.state, ownerPid: null, workerAlive: false };
    listed.push({ row, present: live ? (await locateSession(nodeFiles, row, watch)).present : settled });
  }
  return listed;
}
