/** The session's log: one JSON object a line, rotated by size. */
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import type { Stream } from './output-tail.ts';
import { RotatingFile } from './rotating-file.ts';

type LogLevel = 'info' | 'warn' | 'error';

interface SessionLogOptions {
  /** `<logs>/<session>`; made when missing. */
  readonly directory: string;
  /** Said once, when lines could not be written; the log goes on by itself when there is room. */
  readonly onProblem: (message: string) => void;
  /** Said once, when they can be written again. */
  readonly onWrittenAgain?: (message: string) => void;
  readonly maxBytes?: number;
  readonly keep?: number;
}

/** Size at which the log is rotated. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Rotated files that are kept: `session.log.1` is the newest of them. */
const KEEP = 3;

export const LOG_NAME = 'session.log';

export class SessionLog {
  readonly path: string;
  readonly #file: RotatingFile;
  readonly #logger: Logger;

  constructor(options: SessionLogOptions) {
    this.path = join(options.directory, LOG_NAME);
    this.#file = new RotatingFile({
      path: this.path,
      maxBytes: options.maxBytes ?? MAX_BYTES,
      keep: options.keep ?? KEEP,
      onProblem: options.onProblem,
      ...(options.onWrittenAgain === undefined ? {} : { onWrittenAgain: options.onWrittenAgain }),
    });
    this.#logger = pino(
      {
        base: null,
        timestamp: () => `,"time":"${new Date().toISOString()}"`,
        formatters: { level: (label) => ({ level: label }) },
      },
      this.#file,
    );
  }

  /** Lines that could not be written so far. */
  get lostLines(): number {
    return this.#file.lostLines;
  }

  /** @param facts any further fields; `event`, `attempt`, `level`, `time` and `msg` are taken */
  event(attempt: number, event: string, message: string, facts: object = {}, level: LogLevel = 'info'): void {
    this.#logger[level]({ ...facts, attempt, event }, message);
  }

  /** A line of the worker's own output. */
  output(attempt: number, stream: Stream, line: string): void {
    this.#logger.info({ attempt, stream }, line);
  }

  /** Writes what is still held and closes the file. */
  close(): void {
    this.#file.close();
  }
}
