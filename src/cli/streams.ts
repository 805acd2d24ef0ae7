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
export function guardStreams(stdout: TextStream, stderr: TextStream): Streams {
  const out = guard(stdout);
  const err = guard(stderr);
  const { write, writeSlowly, lost } = out;
  return { out: write, outSlowly: writeSlowly, outLost: lost, err: err.write, onErrLost: err.onLost };
}

interface Guarded {
  readonly write: (text: string) => void;
  readonly writeSlowly: (text: string) => Promise<void>;
  readonly lost: () => boolean;
  readonly onLost: (listener: () => void) => void;
}

function guard(stream: TextStream): Guarded {
  let lost = false;
  let drained: (() => void) | null = null;
  const listeners: (() => void)[] = [];
  stream.on('error', () => {
    if (lost) return;
    lost = true;
    drained?.();
    for (const listener of listeners) listener();
  });
  stream.on('drain', () => drained?.());
  return {
    write: (text) => {
      if (!lost) stream.write(text);
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
