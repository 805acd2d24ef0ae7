import type { SessionsDatabase } from '../../sessions/database.ts';
import type { SessionRow } from '../../sessions/types.ts';
import { isOpenState } from '../../words.ts';
import type { CommandContext } from '../context.ts';
import type { ListFlags } from '../flags.ts';
import { withReadableIndex } from '../open-index.ts';
import { line } from '../render/line.ts';
import { paintLine, paintWith } from '../render/paint.ts';
import { count } from '../render/quantities.ts';
import { sessionJson } from '../render/session-json.ts';
import { sessionTable } from '../render/session-table.ts';
import type { Present } from '../session-state.ts';
import { usageError } from '../usage-error.ts';

export interface ListedSession {
  readonly row: SessionRow;
  readonly present: Present;
}

/** Sessions that `list` shows a person unless asked for more; a program gets all. */
const SHOWN = 50;

/** `list`: the newest sessions, each with the state that it is in right now, and how many more there are. */
export function list(flags: ListFlags, context: CommandContext): Promise<number> {
  const limit = limitOf(flags);
  return withReadableIndex(
    context,
    async (database) => {
      const sessions = await listedSessions(database, limit);
      const total = database.sessions.count();
      const { streams, terminal, clocks } = context;
      if (flags.json === true) {
        streams.out(`${JSON.stringify({ version: 1, total, sessions: sessions.map(sessionJson) })}\n`);
      } else if (total === 0) {
        streams.out('No session yet. Start one: nkat-recover run train.ts\n');
      } else {
        const paint = paintWith(terminal.colourOut);
        const lines = sessionTable(sessions, terminal.columnsOut(), clocks.now(), paint);
        const rest = total - sessions.length;
        // Not on stdout, where a script counts lines.
        streams.out(`${lines.join('\n')}\n`);
        if (rest > 0) streams.err(paintLine(paintWith(terminal.colourErr), line(moreWords(rest), 'faint')));
      }
      return 0;
    },
    null,
    limit ?? Number.MAX_SAFE_INTEGER,
  );
}

function moreWords(rest: number): string {
  return `${count(rest, 'older session')} not shown: nkat-recover list --all, or --limit ${SHOWN * 2}`;
}

/** Null: all. @throws NkatError `usage` */
function limitOf({ limit, all, json }: ListFlags): number | null {
  if (limit === undefined) return all === true || json === true ? null : SHOWN;
  if (all === true || !/^[1-9]\d{0,8}$/.test(limit)) {
    const message = all === true ? '--all and --limit exclude one another' : `--limit ${limit}: not a number from 1 on`;
    throw usageError(message);
  }
  return Number(limit);
}

/** Only a session that was running can have changed unseen: the directories of the others are not touched. */
async function listedSessions(database: SessionsDatabase, limit: number | null): Promise<ListedSession[]> {
  const rows = database.sessions.list(limit === null ? {} : { limit });
  const live = rows.filter(({ state }) => isOpenState(state));
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
