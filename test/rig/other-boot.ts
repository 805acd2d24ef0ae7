/**
 * Another boot of this machine, or another machine, for real processes and without a hook in the program: in a mount
 * namespace of their own another file lies over what the kernel and systemd tell. Nobody else sees it, and it goes with
 * the last process in it.
 */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { wherePossible } from './where-possible.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const MACHINE_ID = '/etc/machine-id';
const SCRIPT = `mount --bind "$1" ${BOOT_ID} && mount --bind "$2" ${MACHINE_ID} && shift 2 && exec "$@"`;

/** Words to put before a command. @param machine text that tells machines apart; the same by default */
export function otherBoot(directory: string, machine = 'this'): string[] {
  const boot = randomUUID();
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, `${text}\n`);
    return path;
  };
  const bootId = file(`boot-${boot}`, boot);
  const machineId = file(`machine-${machine}`, Buffer.from(machine).toString('hex').padEnd(32, '0').slice(0, 32));
  return ['unshare', '-m', 'sh', '-c', SCRIPT, 'other-boot', bootId, machineId];
}

/** Null: processes can be given another boot here. Else why not. */
export function whyNoOtherBoot(): string | null {
  if (process.platform !== 'linux') return 'boot ids are a thing of Linux';
  if (!existsSync(MACHINE_ID)) return `there is no ${MACHINE_ID}`;
  const tried = spawnSync('unshare', ['-m', 'sh', '-c', `mount --bind /dev/null ${BOOT_ID}`]);
  return tried.status === 0 ? null : `no mount namespace can be made: ${String(tried.stderr ?? tried.error).trim()}`;
}

const why = whyNoOtherBoot();

/** Tests where another boot can be had. Elsewhere they are skipped and say why, or fail where NKAT_REQUIRE_POWER=1. */
export function describeBoots(name: string, tests: () => void): void {
  const broken = 'this machine must allow mount namespaces, and does not';
  wherePossible(name, { why, promise: 'NKAT_REQUIRE_POWER', broken }, tests);
}
