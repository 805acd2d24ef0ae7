/**
 * Our own stdout and stderr. The reader may go away at any time (`| head -1`, a closed terminal, a full disk): then
 * these go silent and nothing else happens, since training matters more than words about it.
 */
import { GuardedStream, type TextStream, type Worth } from './guarded-stream.ts';
import type { Spool } from './spool.ts';

export interface Streams {
  /** Writes text to stdout as it is. */
  out(text: string, worth?: Worth): void;
  /** Writes text to stderr as it is. */
  err(text: string, worth?: Worth): void;
  /** Draws on stderr: what is drawn now is out of date with the next. */
  draw(text: string): void;
  /** The same as `out`, and waits until a slow reader has taken it: for more than memory should hold. */
  outSlowly(text: string): Promise<void>;
  /** Resolves when everything written to stdout was taken, or never will be: why not, if the cause is no reader that left. */
  outFailure(): Promise<string | null>;
  /** True when stdout has lost its reader. */
  outLost(): boolean;
  /** Called once, when stderr has lost its reader. */
  onErrLost(listener: () => void): void;
  /** A program reads stdout and may count on every line: what it is late with waits on the disk. */
  spoolOut(spool: Spool): void;
  /** Characters that were left out of both since the last call, once the readers keep up again; else 0. */
  takeLeftOut(): number;
}

/** Guards both streams; after this call no error of theirs can end the process. */
export function guardStreams(stdout: TextStream, stderr: TextStream, mayWrite: () => boolean = () => true): Streams {
  const out = new GuardedStream(stdout, mayWrite);
  const err = new GuardedStream(stderr, mayWrite);
  return {
    out: (text, worth = 'kept') => {
      // In the order in which it was said: both may be one terminal or one file.
      err.flush();
      out.write(text, worth);
    },
    err: (text, worth = 'kept') => {
      out.flush();
      err.write(text, worth);
    },
    draw: (text) => {
      out.flush();
      err.write(text, 'drawn');
    },
    outSlowly: (text) => out.writeSlowly(text),
    outFailure: () => {
      err.flush();
      return out.failure();
    },
    outLost: () => out.lost,
    onErrLost: (listener) => err.onLost(listener),
    spoolOut: (spool) => out.spoolTo(spool),
    takeLeftOut: () => out.takeLeftOut() + err.takeLeftOut(),
  };
}
