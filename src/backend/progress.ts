/** What an installation tells while it goes on. */
export type InstallStage = 'fetch' | 'unpack' | 'compile' | 'check';

export interface InstallProgress {
  readonly stage: InstallStage;
  /** What is worked on, for example `tensorflow-cpu 2.21.0`. */
  readonly what: string;
  /** Null: at its beginning. */
  readonly bytes: number | null;
  /** Null: nobody knows before. */
  readonly totalBytes: number | null;
}
