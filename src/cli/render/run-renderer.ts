/** Shows a run to whoever is there: a person at a terminal, a log file, or a program. */
import type { SupervisorEvent } from '../../supervisor/events.ts';
import type { Clocks } from '../clocks.ts';
import type { Streams } from '../streams.ts';
import type { Terminal } from '../terminal.ts';
import type { Line } from './line.ts';

export interface RunRenderer {
  handle(event: SupervisorEvent): void;
  /** Words of the command itself, outside of the run's events. */
  say(line: Line): void;
  /** Puts the screen back; nothing is shown after it. */
  close(): void;
}

export interface RendererChoice {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly terminal: Terminal;
  readonly streams: Streams;
  readonly clocks: Clocks;
}
