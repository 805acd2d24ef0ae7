/**
 * Writing to a terminal that may stand still (Ctrl-S, a stuck terminal server) or may not be ours to write to: neither may
 * stop the supervisor of a training run.
 */
import { execFileSync } from 'node:child_process';
import { inForeground } from './terminal.ts';

/**
 * Lets writes to a terminal queue instead of blocking the process. Node has no public way. Only where libuv opened the
 * terminal anew for itself (another descriptor than ours): else the shell's own reads would stop blocking too.
 */
export function unblock(stream: object): void {
  if (!('isTTY' in stream) || stream.isTTY !== true || !('_handle' in stream)) return;
  const handle = stream._handle;
  if (typeof handle !== 'object' || handle === null) return;
  if (!('fd' in handle) || typeof handle.fd !== 'number' || handle.fd <= 2) return;
  if ('setBlocking' in handle && typeof handle.setBlocking === 'function') handle.setBlocking(false);
}

/** False in a background job of a terminal with `stty tostop`: the kernel would stop us for a word (SIGTTOU). */
export class MayWrite {
  #stops: boolean | null = null;

  now(): boolean {
    const foreground = inForeground();
    // Asked anew each time that we are put into the background: it may have been set meanwhile.
    if (foreground) this.#stops = null;
    else this.#stops ??= stopsBackgroundWrites();
    return foreground || this.#stops !== true;
  }
}

function stopsBackgroundWrites(): boolean {
  if (process.platform === 'win32') return false;
  for (const terminal of [2, 1]) {
    try {
      const text = execFileSync('stty', ['-a'], { stdio: [terminal, 'pipe', 'ignore'], encoding: 'utf8' });
      return /(?:^|\s)tostop/.test(text);
    } catch {
      // That stream is no terminal, or there is no stty here.
    }
  }
  return false;
}
