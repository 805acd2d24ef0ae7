/** Giving disk space back in the middle of a file that another process appends to. */
import { runProgram } from '../run-program.ts';

const LIMIT_MS = 10_000;

/** Frees `length` bytes from `offset` on, the size of the file staying as it is. False: not possible here. */
export type PunchHole = (path: string, offset: number, length: number) => Promise<boolean>;

/** By `fallocate` of util-linux; Node has no such call. */
export const punchHole: PunchHole = async (path, offset, length) => {
  const command = ['fallocate', '--punch-hole', '--offset', String(offset), '--length', String(length), path];
  return (await runProgram(command, process.env, LIMIT_MS)).failure === null;
};
