/** The common end of `run` and `resume`: supervise a session and show it. */
import type { SessionLaunch } from '../../checkpoint/types.ts';
import type { RunSettings } from '../../config/settings.ts';
import type { SessionsDatabase } from '../../sessions/database.ts';
import type { SessionTarget } from '../../supervisor/options.ts';
import { supervise } from '../../supervisor/supervise.ts';
import type { CommandContext } from '../context.ts';
import { exitCodeOfOutcome } from '../exit-codes.ts';
import type { FirstStart } from '../first-start.ts';
import type { SupervisionFlags } from '../flags.ts';
import { type Misplaced, withMisplacedHint } from '../misplaced-option.ts';
import { chooseRenderer } from '../render/choose-renderer.ts';
import type { Line } from '../render/line.ts';
import { systemdOf, tellSystemd } from '../service/tell-systemd.ts';
import { Spool } from '../spool.ts';

export interface Supervision {
  readonly target: SessionTarget;
  readonly settings: RunSettings;
  readonly command: readonly string[] | null;
  readonly from: number | string | null;
  /** How this start was made, for one with nobody there. */
  readonly launch: SessionLaunch;
  /** Said before the first event. */
  readonly words: readonly Line[];
  /** Options of ours that the trainer was given. */
  readonly misplaced: Misplaced;
  /** Released as soon as the index knows the session. */
  readonly start?: FirstStart | null;
}

/** @returns the exit code of how the session ended */
export async function superviseAndShow(
  supervision: Supervision,
  flags: SupervisionFlags,
  database: SessionsDatabase,
  context: CommandContext,
): Promise<number> {
  const { target, settings, command, from, launch, words, start, misplaced } = supervision;
  const systemd = systemdOf(context);
  const renderer = await chooseRenderer({ json: flags.json === true, quiet: flags.quiet === true, ...context });
  // A program may count on every line, and the log must not wait for it.
  if (flags.json === true) context.streams.spoolOut(new Spool(context.home.directory));
  try {
    for (const line of words) renderer.say(line);
    const end = await supervise({
      home: context.home,
      sessions: database,
      target,
      settings,
      from,
      launch,
      takeOver: flags.takeOver === true,
      command,
      publish: (event) => {
        renderer.handle(withMisplacedHint(event, misplaced));
        if (event.name === 'session-opened') void start?.release();
        if (systemd !== null) tellSystemd(systemd, null, event);
      },
      signals: context.signals,
    });
    return exitCodeOfOutcome(end.outcome, end.signal);
  } finally {
    await start?.release();
    renderer.close();
    await systemd?.close();
  }
}
