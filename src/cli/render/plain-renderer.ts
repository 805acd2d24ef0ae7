import type { SupervisorEvent } from '../../supervisor/events.ts';
import type { Line } from './line.ts';
import { type Paint, paintLine, paintWith } from './paint.ts';
import { progressText } from './progress-words.ts';
import type { RendererChoice, RunRenderer } from './run-renderer.ts';
import { NO_STORY, type Story } from './story.ts';
import { tell } from './words.ts';

const PROGRESS_INTERVAL_MS = 10_000;

/**
 * Lines for logs and pipes: ours on stderr, one per event and at most one of progress in 10 s; the worker's output on
 * its own streams. Quiet: warnings, crashes and the end only; the worker's output stays in the log.
 */
export class PlainRenderer implements RunRenderer {
  readonly #choice: RendererChoice;
  readonly #paint: Paint;
  #story: Story = NO_STORY;
  #lastProgressAt = Number.NEGATIVE_INFINITY;

  constructor(choice: RendererChoice) {
    this.#choice = choice;
    this.#paint = paintWith(choice.terminal.colourErr);
  }

  handle(event: SupervisorEvent): void {
    if (event.name === 'output') {
      if (this.#choice.quiet) return;
      const { streams } = this.#choice;
      const text = `${event.line}\n`;
      if (event.stream === 'stdout') streams.out(text);
      else streams.err(text);
      return;
    }
    if (event.name === 'progress') {
      if (this.#choice.quiet) return;
      const now = this.#choice.clocks.monotonic();
      if (now - this.#lastProgressAt < PROGRESS_INTERVAL_MS) return;
      this.#lastProgressAt = now;
      this.#choice.streams.err(`${progressText(event, this.#choice.clocks.now())}\n`);
      return;
    }
    const { story, lines } = tell(this.#story, event);
    this.#story = story;
    for (const line of lines) this.say(line);
  }

  say(line: Line): void {
    if (this.#choice.quiet && line.weight !== 'always') return;
    this.#choice.streams.err(paintLine(this.#paint, line));
  }

  close(): void {}
}
