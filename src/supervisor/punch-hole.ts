/** Giving disk space back in the middle of a file that another process appends to. */
import { execa } from 'execa';

/** Frees `length` bytes from `offset` on, the size of the file staying as it is. False: not possible here. */
export type PunchHole = (path: string, offset: number, length: number) => Promise<boolean>;

/** By `fallocate` of util-linux; Node has no such call. */
export const punchHole: PunchHole = async (path, offset, length) => {
  const args = ['--punch-hole', '--offset', String(offset), '--length', String(length), path];
  const result = await execa('fallocate', args, { reject: false, stdio: 'ignore', timeout: 10_000 });
  return !result.failed;
};
