import { nodeFiles } from '../../checkpoint/files.ts';
import type { CommandContext } from '../context.ts';
import type { DrillFlags } from '../flags.ts';
import { withReadableIndex } from '../open-index.ts';
import { historyJson, historyWords } from '../render/drill-history-words.ts';
import { paintWith } from '../render/paint.ts';
import { resolveSession } from '../resolve-session.ts';

/** Drills that are shown: a year of nightly ones. */
const SHOWN = 366;

/** `drill --history`: what earlier drills came to, oldest first, of the sessions named or of all. */
export function drillHistory(words: readonly string[], flags: DrillFlags, context: CommandContext): Promise<number> {
  return withReadableIndex(context, async (database) => {
    const sessions: string[] = [];
    for (const word of words) sessions.push((await resolveSession(nodeFiles, database, word)).id);
    const rows = database.drills.history(sessions, SHOWN);
    const { streams, terminal } = context;
    if (flags.json === true) streams.out(`${JSON.stringify(historyJson(rows))}\n`);
    else {
      const paint = paintWith(terminal.colourOut);
      for (const text of historyWords(rows, terminal.columnsOut(), paint)) streams.out(`${text}\n`);
    }
    return 0;
  });
}
