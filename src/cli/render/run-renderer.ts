/** Shows a run to whoever is there: a person at a terminal, a log file, or a program. */
import type { SupervisorEvent } from '../../supervisor/events.ts';
import type { Streams } from '../streams.ts';
import type { Terminal } from '../terminal.ts';
import { JsonRenderer } from './json-renderer.ts';
import type { Line } from './line.ts';
import { PlainRenderer } from './plain-renderer.ts';

export interface RunRenderer {
  handle(event: SupervisorEvent): void;
  /** Words of the command itself, outside of the run's events. */
  say(line: Line): void;
  /** Puts the screen back; nothing is shown after it. */
  close(): void;
}

export interface Clocks {
  /** Wall clock, ms since 1970. */
  readonly now: () => number;
  /** Never set back, ms. */
  readonly monotonic: () => number;
}

export const SYSTEM_CLOCKS: Clocks = { now: () => Date.now(), monotonic: () => performance.now() };

export interface RendererChoice {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly terminal: Terminal;
  readonly streams: Streams;
  readonly clocks: Clocks;
}

/** JSON for programs, the live line for a person in front of a terminal, plain lines for everything else. */
export async function chooseRenderer(choice: RendererChoice): Promise<RunRenderer> {
  if (choice.json) return new JsonRenderer(choice);
  if (choice.quiet || !choice.terminal.live) return new PlainRenderer(choice);
  const { LiveRenderer } = await import('./live-renderer.ts');
  return new LiveRenderer(choice);
}
