import { chooseCheckpoint } from '../../checkpoint/choose.ts';
import { nodeFiles } from '../../checkpoint/files.ts';
import { everCommitted } from '../../checkpoint/session-file.ts';
import { NkatError } from '../../errors.ts';
import type { CommandContext } from '../context.ts';
import { exitCodeOf } from '../exit-codes.ts';
import type { JsonFlag } from '../flags.ts';
import { isStoreMissing, locateSession } from '../located-session.ts';
import { withReadableIndex } from '../open-index.ts';
import { explainWords } from '../render/explain-words.ts';
import { paintLine, paintWith } from '../render/paint.ts';
import { resolveSession } from '../resolve-session.ts';
import { ownWatch } from '../session-state.ts';

/** `explain`: the choice that the next launch would make, with what stands against each candidate. Moves nothing. */
export function explain(word: string, flags: JsonFlag, context: CommandContext): Promise<number> {
  return withReadableIndex(context, async (database) => {
    const session = await locateSession(nodeFiles, await resolveSession(nodeFiles, database, word), ownWatch());
    const { row, layout, file } = session;
    if (await isStoreMissing(nodeFiles, session)) throw missing(layout.directory);
    const setAside = new Set(file?.setAside.map(({ sequence }) => sequence));
    const { chosen, candidates } = await chooseCheckpoint(nodeFiles, { layout, setAside, quarantine: false });
    const lastStep = Math.max(file?.lastStep ?? 0, row.step ?? 0);
    const committed = candidates.length > 0 || row.checkpoints > 0 || (await everCommitted(nodeFiles, layout));
    const choice = {
      session: row.id,
      candidates,
      chosen: chosen?.manifest ?? null,
      stepsLost: chosen === null ? lastStep : Math.max(0, lastStep - chosen.manifest.step),
      committed,
    };
    const { streams, terminal } = context;
    if (flags.json === true) {
      const json = {
        version: 1,
        session: row.id,
        candidates: candidates.map(({ sequence, step, verdict, reason }) => ({ sequence, step, verdict, reason })),
        chosen: chosen?.manifest.sequence ?? null,
        stepsLost: choice.stepsLost,
      };
      streams.out(`${JSON.stringify(json)}\n`);
    } else {
      const paint = paintWith(terminal.colourOut);
      for (const line of explainWords(choice)) streams.out(paintLine(paint, line));
    }
    if (chosen !== null || !committed) return 0;
    // What a disk keeps from us may be whole: that is not said to be damaged.
    return exitCodeOf(candidates.some(({ verdict }) => verdict === 'unreadable') ? 'io' : 'damaged');
  });
}

/** Not "no checkpoint verifies": a start from zero is no advice for a disk that is not mounted. */
function missing(path: string): NkatError {
  return new NkatError('its folder is missing', {
    code: 'store-missing',
    operation: 'look at its checkpoints',
    path,
    hint: 'Mount the disk that holds it.',
  });
}
