/** Facts of the machine without which a ratio means nothing. */
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';

export interface MachineFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  /** Of the folder in which checkpoints were written: device, file system, mount options. */
  readonly disk: string;
  readonly node: string;
  /** ISO 8601. */
  readonly at: string;
}

export function machineFacts(folder: string): MachineFacts {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    disk: diskOf(folder),
    node: process.version,
    at: new Date().toISOString(),
  };
}

function diskOf(folder: string): string {
  try {
    const columns = ['-n', '-o', 'SOURCE,FSTYPE,OPTIONS', '--target', folder];
    return execFileSync('findmnt', columns, { encoding: 'utf8' }).trim().replace(/\s+/g, ' ');
  } catch {
    return 'unknown (findmnt is missing)';
  }
}
