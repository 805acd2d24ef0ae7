import { realpathSync } from 'node:fs';
import { effectiveSettings } from '../../config/effective.ts';
import type { CommandContext } from '../context.ts';
import type { ConfigFlags } from '../flags.ts';
import { ownSettings, refuseWrongFlags, type SettingPlace, slipWords } from '../own-settings.ts';
import { configJson, configLines } from '../render/config-words.ts';
import { paintLine, paintWith } from '../render/paint.ts';
import { settingPlaceOf } from '../setting-place.ts';
import { identityOfWords, type TrainerWords } from '../trainer.ts';

/** `config`: what `run` with the very same words would use, and the place that each value comes from. */
export async function config(words: TrainerWords, flags: ConfigFlags, context: CommandContext): Promise<number> {
  refuseWrongFlags(flags, context);
  const own = await ownSettings(flags, context, placeOf(words, context));
  const shown = { own, settings: effectiveSettings(own.layers, context.home), cwd: context.cwd };
  const { streams, terminal } = context;
  if (flags.json === true) {
    streams.out(`${JSON.stringify(configJson(shown))}\n`);
    return 0;
  }
  for (const line of slipWords(own.slips)) streams.err(paintLine(paintWith(terminal.colourErr), line));
  const lines = configLines(shown, flags.all === true, terminal.columnsOut(), paintWith(terminal.colourOut));
  streams.out(`${lines.join('\n')}\n`);
  return 0;
}

function placeOf(words: TrainerWords, { cwd, environment }: CommandContext): SettingPlace {
  if (words.words.length === 0) return { trainer: null, cwd: realpathSync(cwd) };
  return settingPlaceOf(identityOfWords(words, { cwd, path: environment.PATH }, null));
}
