import { statSync } from 'node:fs';
import { nodeFiles } from '../../checkpoint/files.ts';
import type { SessionIdentity } from '../../checkpoint/types.ts';
import { errnoOf, NkatError } from '../../errors.ts';
import type { CommandContext } from '../context.ts';
import type { ResumeFlags } from '../flags.ts';
import { keptLayer, keptWords } from '../kept-settings.ts';
import { type LocatedSession, locateSession, refuseHeld } from '../located-session.ts';
import type { Misplaced } from '../misplaced-option.ts';
import { namedCheckpoint } from '../named-checkpoint.ts';
import { withIndex } from '../open-index.ts';
import { ownSettings, refuseWrongFlags, slipWords } from '../own-settings.ts';
import { resolveSession } from '../resolve-session.ts';
import { sessionLaunch } from '../session-launch.ts';
import { ownWatch } from '../session-state.ts';
import { settingPlaceOf } from '../setting-place.ts';
import { checkTrainer, commandOf } from '../trainer.ts';
import { settingsOfSession, stayingWords } from './run.ts';
import { superviseAndShow } from './supervised.ts';

export interface ResumeWords {
  readonly session: string;
  /** Replace the trainer's arguments; null keeps them. */
  readonly args: readonly string[] | null;
  readonly misplaced: Misplaced;
}

/** `resume`: never asks. A completed session goes on only with other arguments or from a checkpoint that is named. */
export async function resume(
  { session: word, args, misplaced }: ResumeWords,
  flags: ResumeFlags,
  context: CommandContext,
): Promise<number> {
  refuseWrongFlags(flags, context);
  return withIndex(context, async (database) => {
    const watch = ownWatch();
    const session = await locateSession(nodeFiles, await resolveSession(nodeFiles, database, word), watch);
    refuseHeld(session, flags.takeOver === true, watch);
    const from = flags.from === undefined ? null : await namedCheckpoint(nodeFiles, session, flags.from, context.cwd);
    if (session.present.state === 'completed' && args === null && from === null) {
      const { id } = session.row;
      context.streams.err(
        `Session ${id} has completed. To train on with other arguments: nkat-recover resume ${id} -- ARGS\n`,
      );
      return 0;
    }
    const identity = identityOf(session);
    checkPlace(identity);
    checkTrainer(identity);
    const place = settingPlaceOf({ ...identity, args: args ?? identity.args });
    const chosen = await ownSettings(flags, context, place, keptLayer(session.file?.launch));
    const { settings, layers, slips } = chosen;
    const launch = sessionLaunch(chosen, context.environment, flags.config === false);
    const target = { kind: 'existing', id: session.row.id, directory: session.layout.directory, args } as const;
    const own = settingsOfSession(session, settings);
    const command = commandOf(identity, args);
    const supervision = {
      target,
      settings: own,
      command,
      from,
      launch,
      words: [...slipWords(slips), ...stayingWords(session, settings, layers), ...keptWords(layers)],
      misplaced,
    };
    return superviseAndShow(supervision, flags, database, context);
  });
}

function identityOf({ file, row }: LocatedSession): SessionIdentity {
  return file?.identity ?? { cwd: row.cwd, trainer: row.trainer, args: row.args, name: row.name };
}

function checkPlace({ cwd }: SessionIdentity): void {
  try {
    if (statSync(cwd).isDirectory()) return;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
  }
  throw new NkatError('the folder that the session was started in is gone', {
    code: 'configuration',
    operation: 'resume the session',
    path: cwd,
    hint: 'Put it back, or start a new session from where the trainer is now.',
  });
}
