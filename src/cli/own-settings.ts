/** The settings of a session as `run`, `resume` and `config` all read them: files, environment, flags. */

import { lstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { type EnvironmentSlip, environmentSlips } from '../config/environment-slips.ts';
import { type FileLayers, fileLayers, type ProfileChoice } from '../config/file-layers.ts';
import { type FoundFile, findFile } from '../config/find-file.ts';
import { environmentLayer, flagLayer, resolveSettings, type SettingLayer } from '../config/layers.ts';
import type { RunSettings } from '../config/settings.ts';
import { errnoOf, NkatError } from '../errors.ts';
import type { CommandContext } from './context.ts';
import type { SettingFlags } from './flags.ts';
import { type Line, line } from './render/line.ts';
import { usageError } from './usage-error.ts';

/** Whose settings they are. */
export interface SettingPlace {
  /** Absolute path of the training script; null: none is known. */
  readonly trainer: string | null;
  /** Working folder of the session. */
  readonly cwd: string;
}

export interface OwnSettings {
  readonly settings: RunSettings;
  /** Lowest first. */
  readonly layers: readonly SettingLayer[];
  /** The configuration file; null: there is none, or none is wanted. */
  readonly file: string | null;
  /** It was named, not found. */
  readonly fileNamed: boolean;
  /** The file and all that it extends, lowest first. */
  readonly files: readonly string[];
  /** Files that a nearer one keeps from counting. */
  readonly passedOver: readonly string[];
  /** Files above the project, which never count. */
  readonly outside: readonly string[];
  readonly profile: string | null;
  readonly slips: readonly EnvironmentSlip[];
}

interface ChosenFile extends FoundFile {
  /** What named it; null: it was found. */
  readonly namedAt: string | null;
}

/** What of a command settings depend on; of a session that is looked at from outside, its own. */
type SettingSources = Pick<CommandContext, 'environment' | 'cwd' | 'home'>;

const NO_FILE: ChosenFile = { path: null, passedOver: [], outside: [], namedAt: null };

/**
 * @param kept of a session that is resumed
 * @throws NkatError `usage` or `configuration`, naming the place, the value and what is accepted
 */
export async function ownSettings(
  flags: SettingFlags,
  context: SettingSources,
  place: SettingPlace,
  kept: SettingLayer | null = null,
): Promise<OwnSettings> {
  const { environment, cwd } = context;
  const profile = profileOf(flags, environment);
  const chosen = chooseFile(flags, context, place);
  const read = await readChosen(chosen, profile);
  const layers = [
    ...read.layers,
    ...(kept === null ? [] : [kept]),
    environmentLayer(environment, cwd),
    flagLayer(flags, cwd),
  ];
  return {
    settings: resolveSettings(layers, context.home),
    layers,
    file: chosen.path,
    fileNamed: chosen.namedAt !== null,
    files: read.files,
    passedOver: chosen.passedOver,
    outside: chosen.outside,
    profile: chosen.path === null ? null : (profile?.name ?? null),
    slips: environmentSlips(environment),
  };
}

/**
 * Wrong usage is said before anything is looked for.
 *
 * @throws NkatError `usage`
 */
export function refuseWrongFlags(flags: SettingFlags, { cwd, home }: CommandContext): void {
  resolveSettings([flagLayer(flags, cwd)], home);
}

/** One line for each variable that was most likely meant to be a setting. */
export function slipWords(slips: readonly EnvironmentSlip[]): Line[] {
  return slips.map(({ name, nearest }) =>
    line(`${name} is no setting and does nothing; did you mean ${nearest}?`, 'warning', 'always'),
  );
}

function profileOf(flags: SettingFlags, environment: NodeJS.ProcessEnv): ProfileChoice | null {
  if (flags.config === false) {
    if (flags.profile === undefined) return null;
    throw usageError(
      '--profile is part of a configuration file, which --no-config excludes',
      'Leave one of the two out.',
    );
  }
  if (flags.profile !== undefined) return { name: flags.profile, where: '--profile' };
  return environment.NKAT_PROFILE ? { name: environment.NKAT_PROFILE, where: 'NKAT_PROFILE' } : null;
}

function chooseFile(flags: SettingFlags, { environment, cwd }: SettingSources, place: SettingPlace): ChosenFile {
  if (flags.config === false) return NO_FILE;
  const named = flags.config ?? environment.NKAT_CONFIG;
  if (named === undefined || (named === '' && flags.config === undefined)) {
    return { ...findFile(place.trainer, place.cwd, isThere), namedAt: null };
  }
  const namedAt = flags.config === undefined ? 'NKAT_CONFIG' : '--config';
  return { path: resolve(cwd, named), passedOver: [], outside: [], namedAt };
}

async function readChosen({ path, namedAt }: ChosenFile, profile: ProfileChoice | null): Promise<FileLayers> {
  if (path !== null) return fileLayers(path, namedAt, profile);
  if (profile === null) return { layers: [], files: [] };
  throw new NkatError(`${profile.where} asks for profile ${JSON.stringify(profile.name)}, and there is no file`, {
    code: 'configuration',
    operation: 'read the configuration',
    hint: 'Write it into nkat-recover.yaml beside the trainer, name a file with --config, or leave the profile out.',
  });
}

/** Also what cannot be read is there: to pass over it in silence would drop settings. */
function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return false;
  }
}
