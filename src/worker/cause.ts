/** Why the process ends before its work is done. */
export interface Cause {
  /** One line: what the error says, the signal, the exit code. */
  readonly reason: string;
}
