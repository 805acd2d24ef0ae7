/** Which signals end a process that trains, on which system. Pure. */
import { constants } from 'node:os';

export type EndingSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGBREAK';

/** Number of SIGBREAK on Windows; elsewhere there is none. Source: libuv, `uv/win.h`. */
const SIGBREAK = 21;

/**
 * `always`: each asks for the end. `withTerminal`: only where one of our streams is a terminal.
 *
 * On Windows Ctrl-Break and the closing of a console window reach every process of that console, and end whoever has no
 * handler: the save that the supervisor asks for would never be made.
 */
export function endingSignals(platform: NodeJS.Platform): {
  readonly always: readonly EndingSignal[];
  readonly withTerminal: readonly EndingSignal[];
} {
  if (platform === 'win32') return { always: ['SIGINT', 'SIGTERM', 'SIGBREAK', 'SIGHUP'], withTerminal: [] };
  // Without a terminal SIGHUP is left to `nohup`, whose request to ignore it Node has undone.
  return { always: ['SIGINT', 'SIGTERM'], withTerminal: ['SIGHUP'] };
}

/** What a shell tells of a process that this ended. */
export function exitCodeAfter(signal: EndingSignal): number {
  return 128 + (signal === 'SIGBREAK' ? SIGBREAK : constants.signals[signal]);
}
