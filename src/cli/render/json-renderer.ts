import type { SupervisorEvent } from '../../supervisor/events.ts';
import { leftOutText } from './left-out.ts';
import type { Line } from './line.ts';
import type { RendererChoice, RunRenderer } from './run-renderer.ts';

/** Left out with `--quiet`, and where the reader does not keep up. */
const ROUTINE: ReadonlySet<SupervisorEvent['name']> = new Set(['progress', 'output', 'checkpoint-verifying']);

/** NDJSON on stdout: one object an event, `{ version: 1, at, name, ... }` with the fields of the event. */
export class JsonRenderer implements RunRenderer {
  readonly #choice: RendererChoice;

  constructor(choice: RendererChoice) {
    this.#choice = choice;
  }

  handle(event: SupervisorEvent): void {
    const routine = ROUTINE.has(event.name);
    if (this.#choice.quiet && routine) return;
    const at = new Date(this.#choice.clocks.now()).toISOString();
    const { streams } = this.#choice;
    streams.out(`${JSON.stringify({ version: 1, at, ...event })}\n`, routine ? 'passing' : 'kept');
    const leftOut = routine ? 0 : streams.takeLeftOut();
    if (leftOut > 0) this.handle({ name: 'notice', level: 'warning', message: leftOutText(leftOut) });
  }

  say({ text, tone }: Line): void {
    const level = tone === 'bad' ? 'error' : tone === 'warning' ? 'warning' : 'info';
    this.handle({ name: 'notice', level, message: text });
  }

  close(): void {}
}
