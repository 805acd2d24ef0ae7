/**
 * Our own stdout and stderr. The reader may go away at any time (`| head -1`, a closed terminal, a full disk): then
 * these go silent and nothing else happens, since training matters more than words about it.
 */

/** The part of a `WriteStream` that is used. */
export interface TextStream {
  write(text: string): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'drain', listener: () => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  /** Bytes that the reader has not taken yet. */
  readonly writableLength?: number;
}

export interface Streams {
  /** Writes text to stdout as it is. */
  out(text: string): void;
  /** Writes text to stderr as it is. */
  err(text: string): void;
  /** The same, and waits until a slow reader has taken it: for more than memory should hold. */
  outSlowly(text: string): Promise<void>;
  /** True when stdout has lost its reader. */
  outLost(): boolean;
  /** Called once, when stderr has lost its reader. */
  onErrLost(listener: () => void): void;
}

/** Guards both streams; after this call no error of theirs can end the process. */
export function guardStreams(stdout: TextStream, stderr: TextStream, mayWrite: () => boolean = () => true): Streams {
  const out = guard(stdout, mayWrite);
  const err = guard(stderr, mayWrite);
  const { write, writeSlowly, lost } = out;
  return { out: write, outSlowly: writeSlowly, outLost: lost, err: err.write, onErrLost: err.onLost };
}

/** What may wait for a terminal that stands still, and for the reader of a pipe. */
const TERMINAL_BYTES = 256 * 1024;
const PIPE_BYTES = 64 * 1024 * 1024;

interface Guarded {
  readonly write: (text: string) => void;
  readonly writeSlowly: (text: string) => Promise<void>;
  readonly lost: () => boolean;
  readonly onLost: (listener: () => void) => void;
}

function guard(stream: TextStream, mayWrite: () => boolean): Guarded {
  let lost = false;
  let drained: (() => void) | null = null;
  const listeners: (() => void)[] = [];
  stream.on('error', () => {
    if (lost) return;
    lost = true;
    drained?.();
    for (const listener of listeners) listener();
  });
  let left = 0;
  const bound = stream.isTTY === true ? TERMINAL_BYTES : PIPE_BYTES;
  const mayNow = (): boolean => (stream.isTTY !== true || mayWrite()) && (stream.writableLength ?? 0) < bound;
  stream.on('drain', () => drained?.());
  return {
    write: (text) => {
      if (lost) return;
      if (!mayNow()) {
        left += 1;
        return;
      }
      // A pipe may be read by a program, which counts on whole lines of its own format.
      if (left > 0 && stream.isTTY === true)
        stream.write(`[nkat-recover: ${left} lines were left out here; the log has them]\n`);
      left = 0;
      stream.write(text);
    },
    writeSlowly: async (text) => {
      if (lost || stream.write(text) !== false) return;
      await new Promise<void>((resolve) => {
        drained = resolve;
      });
      drained = null;
    },
    lost: () => lost,
    onLost: (listener) => {
      if (lost) listener();
      else listeners.push(listener);
    },
  };
}
