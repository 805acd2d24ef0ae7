/** A folder of configuration files, and what reading them says. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileLayers } from '../../src/config/file-layers.ts';
import { resolveSettings } from '../../src/config/layers.ts';
import type { RunSettings } from '../../src/config/settings.ts';
import { NkatError } from '../../src/errors.ts';
import { stateHome } from '../../src/home.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

export class FileWorld {
  readonly directory = temporaryDirectory();
  readonly main = this.path('nkat-recover.yaml');

  path(name: string): string {
    return join(this.directory, name);
  }

  write(name: string, text: string | Uint8Array): this {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
    return this;
  }

  layers(profile: string | null = null) {
    return fileLayers(this.main, null, profile === null ? null : { name: profile, where: '--profile' });
  }

  async settings(profile: string | null = null): Promise<RunSettings> {
    return resolveSettings((await this.layers(profile)).layers, stateHome({ NKAT_HOME: '/state' }));
  }

  /** The refusal, with its message as a person sees it, without the folder's own path. */
  async refusal(profile: string | null = null): Promise<NkatError & { readonly words: string }> {
    try {
      await this.layers(profile);
    } catch (error) {
      if (!(error instanceof NkatError)) throw error;
      return Object.assign(error, { words: error.message.replaceAll(`${this.directory}/`, '') });
    }
    throw new Error('expected a refusal');
  }
}

/** The settings that the main file alone makes. */
export function settingsFrom(text: string): Promise<RunSettings> {
  return new FileWorld().write('nkat-recover.yaml', text).settings();
}

export async function refusalOf(text: string | Uint8Array): Promise<string> {
  const error = await new FileWorld().write('nkat-recover.yaml', text).refusal();
  if (error.code !== 'configuration' || error.hint === undefined) throw new Error(`unexpected ${error.code}`);
  return error.words;
}
