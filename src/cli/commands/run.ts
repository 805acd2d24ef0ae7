import { dirname } from 'node:path';
import { nodeFiles } from '../../checkpoint/files.ts';
import { hasCheckpointsOf } from '../../checkpoint/find-session.ts';
import type { SessionIdentity } from '../../checkpoint/types.ts';
import { isWritten, type SettingLayer } from '../../config/layers.ts';
import type { RunSettings } from '../../config/settings.ts';
import { NkatError } from '../../errors.ts';
import type { SessionsDatabase } from '../../sessions/database.ts';
import type { CommandContext } from '../context.ts';
import { awaitFirstStart, type FirstStart, isOwnRoot } from '../first-start.ts';
import type { RunFlags } from '../flags.ts';
import { type LocatedSession, locateSession, refuseHeld } from '../located-session.ts';
import type { Misplaced } from '../misplaced-option.ts';
import { type IndexProblem, withIndex } from '../open-index.ts';
import { ownSettings, refuseWrongFlags, slipWords } from '../own-settings.ts';
import { askYesNo } from '../prompt.ts';
import { continueQuestion } from '../render/continue-words.ts';
import { type Line, line } from '../render/line.ts';
import { refreshed } from '../resolve-session.ts';
import { newestUsable } from '../resume-candidate.ts';
import { sessionLaunch } from '../session-launch.ts';
import { sessionNameOf } from '../session-name.ts';
import { ownWatch } from '../session-state.ts';
import { settingPlaceOf } from '../setting-place.ts';
import { trainerHasChanged } from '../source-change.ts';
import { commandOf, identityOfWords, type TrainerWords } from '../trainer.ts';
import { usageError } from '../usage-error.ts';
import { superviseAndShow } from './supervised.ts';

type Decision =
  | { readonly kind: 'new'; readonly words: readonly Line[]; readonly isWished: boolean }
  | { readonly kind: 'continue'; readonly session: LocatedSession }
  | { readonly kind: 'nothing' };

export interface RunWords extends TrainerWords {
  readonly misplaced: Misplaced;
}

/** `run`: the same line again continues the session that it started before. */
export async function run(words: RunWords, flags: RunFlags, context: CommandContext): Promise<number> {
  if (flags.new === true && flags.resume === true) {
    throw usageError('--new and --resume exclude one another');
  }
  const name = sessionNameOf(flags.name);
  refuseWrongFlags(flags, context);
  const place = { cwd: context.cwd, path: context.environment.PATH };
  const identity = identityOfWords(words, place, name);
  const chosen = await ownSettings(flags, context, settingPlaceOf(identity));
  const { settings, layers, slips } = chosen;
  const { misplaced } = words;
  const launch = sessionLaunch(chosen, context.environment, flags.config === false);
  return withIndex(
    context,
    async (database, problems) => {
      if (flags.new !== true) await refuseHiddenSession(identity, problems);
      const { decision, start } = await decideAlone({ identity, root: settings.root }, flags, database, context);
      if (decision.kind === 'nothing') {
        context.streams.err('Nothing was started or changed.\n');
        return 0;
      }
      const command = commandOf(identity);
      if (decision.kind === 'new') {
        const target = { kind: 'new', identity } as const;
        const said = [...slipWords(slips), ...decision.words];
        return superviseAndShow(
          { target, settings, command, from: null, launch, words: said, start, misplaced },
          flags,
          database,
          context,
        );
      }
      const { row, layout } = decision.session;
      const target = { kind: 'existing', id: row.id, directory: layout.directory, args: null } as const;
      const own = settingsOfSession(decision.session, settings);
      const told = stayingWords(decision.session, settings, layers);
      return superviseAndShow(
        { target, settings: own, command, from: null, launch, words: [...slipWords(slips), ...told], misplaced },
        flags,
        database,
        context,
      );
    },
    settings.root,
  );
}

/** A session stays where it was begun, and so do the copies of its best models. */
export function settingsOfSession({ layout }: LocatedSession, settings: RunSettings): RunSettings {
  return { ...settings, root: dirname(layout.directory), backups: dirname(layout.backups) };
}

/** What to say where another place was asked for. */
export function stayingWords(
  { layout }: LocatedSession,
  settings: RunSettings,
  layers: readonly SettingLayer[],
): Line[] {
  const words: Line[] = [];
  if (isWritten(layers, 'dir') && dirname(layout.directory) !== settings.root) {
    words.push(line(`The session stays in ${layout.directory}; ${settings.root} is for new ones.`));
  }
  if (isWritten(layers, 'backups') && dirname(layout.backups) !== settings.backups) {
    words.push(
      line(`The copies of its best model stay in ${layout.backups}; ${settings.backups} is for new sessions.`),
    );
  }
  return words;
}

/**
 * A session that cannot be read may be the very one that this line continues: to start another beside it would throw
 * its training away in silence.
 */
async function refuseHiddenSession(identity: SessionIdentity, problems: readonly IndexProblem[]): Promise<void> {
  for (const { path, reason } of problems) {
    if (!(await hasCheckpointsOf(nodeFiles, path, identity))) continue;
    throw new NkatError(`it holds checkpoints of this very line, but ${reason}`, {
      code: 'no-verified-checkpoint',
      operation: 'find the session to continue',
      path,
      hint: 'Put its session.json back to go on with it. To start from zero beside it: --new.',
    });
  }
}

/** A new session with nobody else making one of the same line meanwhile; an explicit wish for one needs no such care. */
async function decideAlone(
  { identity, root }: { readonly identity: SessionIdentity; readonly root: string },
  flags: RunFlags,
  database: SessionsDatabase,
  context: CommandContext,
): Promise<{ readonly decision: Decision; readonly start: FirstStart | null }> {
  const newest = () => database.sessions.newestByIdentity(identity)?.id;
  const before = newest();
  const decision = await decide(identity, flags, database, context);
  if (decision.kind !== 'new' || decision.isWished) return { decision, start: null };
  const start = await awaitFirstStart(context.home, root);
  // What a start from another state home has made there meanwhile is in its own index only.
  if (!isOwnRoot(context.home, root)) {
    const { reindexRoots } = await import('../../supervisor/reindex.ts');
    await reindexRoots(database, nodeFiles, [root], { now: context.clocks.now });
  }
  if (newest() === before) return { decision, start };
  await start.release();
  return { decision: await decide(identity, flags, database, context), start: null };
}

async function decide(
  identity: SessionIdentity,
  flags: RunFlags,
  database: SessionsDatabase,
  context: CommandContext,
): Promise<Decision> {
  if (flags.new === true) return { kind: 'new', words: [], isWished: true };
  const newest = database.sessions.newestByIdentity(identity);
  if (newest === null) return { kind: 'new', words: [], isWished: false };
  const row = await refreshed(nodeFiles, database, newest);
  const watch = ownWatch();
  const session = await locateSession(nodeFiles, row, watch);
  refuseHeld(session, flags.takeOver === true, watch);
  if (session.present.state === 'completed') {
    const text = `Session ${row.id} has completed; this starts a new one.`;
    return { kind: 'new', words: [line(text)], isWished: false };
  }
  // Without its directory there is nothing to ask about: the refusal names the disk that is missing.
  const asks = context.terminal.interactive && session.file !== null;
  if (flags.resume === true || flags.json === true || !asks) return { kind: 'continue', session };
  const question = continueQuestion({
    session,
    checkpoint: await newestUsable(nodeFiles, session),
    changedTrainer: trainerHasChanged(session.file) ? row.trainer : null,
    now: context.clocks.now(),
  });
  switch (await askYesNo(question, context.stdin, context.streams)) {
    case 'yes':
      return { kind: 'continue', session };
    case 'no':
      return { kind: 'new', words: [], isWished: true };
    case 'end':
      return { kind: 'nothing' };
  }
}
