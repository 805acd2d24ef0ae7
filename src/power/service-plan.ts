/** What installing or removing the service comes to on this machine, step by step. Pure. */
import { join } from 'node:path';
import { rebootEntry, type ServiceProgram, unitText } from './service-unit.ts';

/** Who starts it. */
export type ServiceManager = 'systemd-user' | 'systemd-system' | 'cron' | 'task-scheduler';

export type ServiceStep =
  | { readonly kind: 'write'; readonly path: string; readonly text: string }
  | { readonly kind: 'remove'; readonly path: string }
  /** Null: the entry of that name goes. */
  | { readonly kind: 'cron-entry'; readonly name: string; readonly entry: string | null }
  /** `otherwise`: what it means when it fails, where the rest works all the same; null: then nothing works. */
  | { readonly kind: 'command'; readonly words: readonly string[]; readonly otherwise: string | null };

export interface ServicePlace {
  readonly manager: ServiceManager;
  readonly program: ServiceProgram;
  /** Folder of the units of this manager. */
  readonly unitDirectory: string;
  /** Where what it says goes, where no journal keeps it. */
  readonly log: string;
  readonly user: string;
}

/** Name of the unit, of the entry in the crontab and of the scheduled task. */
export const SERVICE_NAME = 'nkat-recover';
const UNIT = `${SERVICE_NAME}.service`;

export function unitPath({ unitDirectory }: Pick<ServicePlace, 'unitDirectory'>): string {
  return join(unitDirectory, UNIT);
}

export function installSteps(place: ServicePlace): ServiceStep[] {
  const { manager, program, log, user } = place;
  switch (manager) {
    case 'systemd-user':
      return [
        { kind: 'write', path: unitPath(place), text: unitText(program, 'default.target') },
        ...systemctl(['--user'], ['daemon-reload'], ['enable', UNIT]),
        {
          kind: 'command',
          words: ['loginctl', 'enable-linger', user],
          otherwise: `it starts when ${user} logs in, not at boot; as root: loginctl enable-linger ${user}`,
        },
      ];
    case 'systemd-system':
      return [
        { kind: 'write', path: unitPath(place), text: unitText(program, 'multi-user.target') },
        ...systemctl([], ['daemon-reload'], ['enable', UNIT]),
      ];
    case 'cron':
      return [{ kind: 'cron-entry', name: SERVICE_NAME, entry: rebootEntry(program, log) }];
    case 'task-scheduler':
      return [
        {
          kind: 'command',
          words: ['schtasks', '/Create', '/F', '/TN', SERVICE_NAME, '/SC', 'ONLOGON', '/TR', taskLine(program)],
          otherwise: null,
        },
      ];
    default:
      return unreachable(manager);
  }
}

/** Lingering stays: other services of the user may rest on it. */
export function removeSteps(place: ServicePlace): ServiceStep[] {
  switch (place.manager) {
    case 'systemd-user':
    case 'systemd-system': {
      const scope = place.manager === 'systemd-user' ? ['--user'] : [];
      return [
        // Not `--now`: what trains under it goes on.
        ...systemctl(scope, ['disable', UNIT]),
        { kind: 'remove', path: unitPath(place) },
        ...systemctl(scope, ['daemon-reload']),
      ];
    }
    case 'cron':
      return [{ kind: 'cron-entry', name: SERVICE_NAME, entry: null }];
    case 'task-scheduler':
      return [{ kind: 'command', words: ['schtasks', '/Delete', '/F', '/TN', SERVICE_NAME], otherwise: null }];
    default:
      return unreachable(place.manager);
  }
}

function systemctl(scope: readonly string[], ...calls: readonly (readonly string[])[]): ServiceStep[] {
  return calls.map((call) => ({ kind: 'command', words: ['systemctl', ...scope, ...call], otherwise: null }));
}

/** Windows splits a task's line itself; the state home is the default one there, since a task has no environment of its own. */
function taskLine({ words }: ServiceProgram): string {
  return words.map((word) => (/[\s"]/.test(word) ? `"${word}"` : word)).join(' ');
}

function unreachable(manager: never): never {
  throw new TypeError(`no such service manager: ${String(manager)}`);
}
