/** Whether this machine lets us have disks and machines of our own to cut off. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { FileSystem } from './machine.ts';

const TOOLS = ['mount', 'umount', 'unshare', 'nsenter', 'setpriv', 'losetup', 'xfs_io'];

/** Null: it does. Else why not. */
export function whyNoPower(fileSystems: readonly FileSystem[]): string | null {
  if (process.platform !== 'linux')
    return 'power cuts are played with loop mounts and namespaces, which are things of Linux';
  if (process.getuid?.() !== 0) return 'only root may mount';
  const tools = [...TOOLS, ...fileSystems.map((fileSystem) => `mkfs.${fileSystem}`)];
  const missing = tools.filter((tool) => spawnSync(tool, ['-V']).error !== undefined);
  if (missing.length > 0)
    return `not installed: ${missing.join(', ')} (Debian: util-linux, mount, e2fsprogs, xfsprogs)`;
  const known = readFileSync('/proc/filesystems', 'utf8');
  const unknown = fileSystems.filter((fileSystem) => !known.includes(`\t${fileSystem}\n`));
  if (unknown.length > 0) return `the kernel has no ${unknown.join(', ')} (it may be a module that is not loaded)`;
  if (!existsSync('/etc/machine-id') || readFileSync('/etc/machine-id', 'utf8').trim() === '') {
    return 'the machine has no /etc/machine-id, by which it is known again after a cut';
  }
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private'];
  const probe = spawnSync('unshare', [...namespaces, 'sh', '-c', 'losetup -f && mount -t tmpfs none /mnt']);
  return probe.status === 0 ? null : `no mounts or loop devices of our own: ${String(probe.stderr).trim()}`;
}
