/** Where nkat-recover keeps things that are not checkpoints. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export interface StateHome {
  readonly directory: string;
  readonly database: string;
  /** Default root of checkpoint directories. */
  readonly checkpoints: string;
  /** Default root of best-model backups. */
  readonly backups: string;
  /** One folder a session: worker output, exit records and the session log. */
  readonly logs: string;
  /** Transpiled trainers. */
  readonly cache: string;
  /** Plain text list of checkpoint roots, one a line, so that a lost database can be rebuilt. */
  readonly roots: string;
  /** The same of the roots of best-model backups that were ever used. */
  readonly backupRoots: string;
}

/** State home of this user: `NKAT_HOME`, else the platform's state directory. */
export function stateHome(environment: NodeJS.ProcessEnv = process.env, platform = process.platform): StateHome {
  const directory = resolve(environment.NKAT_HOME || defaultDirectory(environment, platform));
  return {
    directory,
    database: join(directory, 'sessions.db'),
    checkpoints: join(directory, 'checkpoints'),
    backups: join(directory, 'backups'),
    logs: join(directory, 'logs'),
    cache: join(directory, 'cache'),
    roots: join(directory, 'roots.txt'),
    backupRoots: join(directory, 'backup-roots.txt'),
  };
}

function defaultDirectory(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (platform === 'win32') {
    return join(environment.LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'nkat-recover');
  }
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'nkat-recover');
  return join(environment.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'nkat-recover');
}
