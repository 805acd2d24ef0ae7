/** A program of the system, run to its end. */
import { type ExecFileException, execFile } from 'node:child_process';

export interface Ran {
  /** Null: it ended with 0. */
  readonly failure: ExecFileException | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A journal of weeks; more than that ends the program, which then failed. */
const MAX_BYTES = 64 * 1024 * 1024;

/** @param limitMs then it is ended. Never rejects. */
export function runProgram(
  [program = '', ...args]: readonly string[],
  environment: NodeJS.ProcessEnv,
  limitMs: number,
): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(program, args, { env: environment, timeout: limitMs, maxBuffer: MAX_BYTES }, (failure, stdout, stderr) =>
      resolve({ failure, stdout: stdout.trim(), stderr: stderr.trim() }),
    );
  });
}
