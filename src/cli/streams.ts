/**
 * Our own stdout and stderr. The reader may go away at any time (`| head -1`, a closed terminal, a full disk): then
 * these go silent and nothing else happens, since training matters more than words about it.
 */

/** The part of a `WriteStream` that is used. */
export interface TextStream {
  write(text: string): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Streams {
  /** Writes text to stdout as it is. */
  out(text: string): void;
  /** Writes text to stderr as it is. */
  err(text: string): void;
  /** Called once, when stderr has lost its reader. */
  onErrLost(listener: () => void): void;
}

/** Guards both streams; after this call no error of theirs can end the process. */
export function guardStreams(stdout: TextStream, stderr: TextStream): Streams {
  const out = guard(stdout);
  const err = guard(stderr);
  return { out: out.write, err: err.write, onErrLost: err.onLost };
}

function guard(stream: TextStream): { write: (text: string) => void; onLost: (listener: () => void) => void } {
  let lost = false;
  const listeners: (() => void)[] = [];
  stream.on('error', () => {
    if (lost) return;
    lost = true;
    for (const listener of listeners) listener();
  });
  return {
    write: (text) => {
      if (!lost) stream.write(text);
    },
    onLost: (listener) => {
      if (lost) listener();
      else listeners.push(listener);
    },
  };
}
