/** Who starts services on this machine, and where they are kept. */
import { existsSync, realpathSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { ServiceManager, ServicePlace } from '../../power/service-plan.ts';
import type { CommandContext } from '../context.ts';
import { SERVICE_LOG } from './keep-log-small.ts';

/** Disks may come later than we do. */
const DISK_WAIT = '10m';

export interface MachineFacts {
  readonly platform: NodeJS.Platform;
  /** As sd_booted(3) finds out. */
  readonly hasSystemd: boolean;
  readonly isRoot: boolean;
}

export function ownMachine(): MachineFacts {
  return {
    platform: process.platform,
    hasSystemd: existsSync('/run/systemd/system'),
    isRoot: process.getuid?.() === 0,
  };
}

/** @param cron the crontab was asked for, whatever else there is */
export function managerOf({ platform, hasSystemd, isRoot }: MachineFacts, cron: boolean): ServiceManager {
  if (platform === 'win32') return 'task-scheduler';
  if (cron || !hasSystemd) return 'cron';
  return isRoot ? 'systemd-system' : 'systemd-user';
}

/** The number where no passwd file knows the name, as in some containers: loginctl takes either. */
function ownName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    const uid = process.getuid?.();
    if (uid === undefined) throw error;
    return String(uid);
  }
}

export function placeOf(manager: ServiceManager, { home, environment }: CommandContext): ServicePlace {
  const configuration = environment.XDG_CONFIG_HOME || join(homedir(), '.config');
  return {
    manager,
    program: {
      // The program itself and not a link to it that a package manager may drop.
      words: [process.execPath, realpathSync(process.argv[1] ?? ''), 'recover', '--disk-wait', DISK_WAIT],
      environment: { NKAT_HOME: home.directory },
    },
    unitDirectory: manager === 'systemd-user' ? join(configuration, 'systemd', 'user') : '/etc/systemd/system',
    log: join(home.logs, SERVICE_LOG),
    user: ownName(),
  };
}
