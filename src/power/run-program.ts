/** A program of the system, run to its end. */
import { type ExecFileException, execFile } from 'node:child_process';

export interface Ran {
  /** Null: it ended with 0. */
  readonly failure: ExecFileException | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param limitMs then it is ended. Never rejects. */
export function runProgram(
  [program = '', ...args]: readonly string[],
  environment: NodeJS.ProcessEnv,
  limitMs: number,
): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(program, args, { env: environment, timeout: limitMs }, (failure, stdout, stderr) =>
      resolve({ failure, stdout: stdout.trim(), stderr: stderr.trim() }),
    );
  });
}
