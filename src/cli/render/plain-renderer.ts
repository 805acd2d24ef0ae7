import type { SupervisorEvent } from '../../supervisor/events.ts';
import { leftOutText } from './left-out.ts';
import { isLibraryLog } from './library-log.ts';
import { type Line, line } from './line.ts';
import { type Paint, paintLine, paintWith } from './paint.ts';
import { progressText } from './progress-words.ts';
import type { RendererChoice, RunRenderer } from './run-renderer.ts';
import { NO_STORY, type Story } from './story.ts';
import { verifyingText } from './waiting-words.ts';
import { onScreen } from './width.ts';
import { tell } from './words.ts';

const PROGRESS_INTERVAL_MS = 10_000;
/** Reading a checkpoint is told from here on. */
const LONG_READING_MS = 5_000;

/**
 * Lines for logs and pipes: ours on stderr, one per event and at most one of progress in 10 s; the worker's output on
 * its own streams. Quiet: warnings, crashes and the end only; the worker's output stays in the log.
 */
export class PlainRenderer implements RunRenderer {
  readonly #choice: RendererChoice;
  readonly #paint: Paint;
  #story: Story;
  #lastProgressAt = Number.NEGATIVE_INFINITY;
  #lastVerifyingAt = Number.NEGATIVE_INFINITY;

  constructor(choice: RendererChoice) {
    this.#choice = choice;
    this.#paint = paintWith(choice.terminal.colourErr);
    this.#story = { ...NO_STORY, showsOutput: !choice.quiet };
  }

  handle(event: SupervisorEvent): void {
    if (event.name === 'output') {
      if (this.#choice.quiet || isLibraryLog(event.stream, event.line)) return;
      const { streams } = this.#choice;
      const text = `${this.#shown(event.stream, event.line)}\n`;
      if (event.stream === 'stdout') streams.out(text, 'passing');
      else streams.err(text, 'passing');
      this.#tellLeftOut();
      return;
    }
    if (event.name === 'checkpoint-verifying') {
      const now = this.#choice.clocks.monotonic();
      if (event.elapsedMs < LONG_READING_MS || now - this.#lastVerifyingAt < PROGRESS_INTERVAL_MS) return;
      this.#lastVerifyingAt = now;
      this.say(line(`Still ${verifyingText(event)}`));
      return;
    }
    if (event.name === 'progress') {
      if (this.#choice.quiet) return;
      const now = this.#choice.clocks.monotonic();
      if (now - this.#lastProgressAt < PROGRESS_INTERVAL_MS) return;
      this.#lastProgressAt = now;
      this.#choice.streams.err(`${progressText(event)}\n`);
      return;
    }
    const { story, lines } = tell(this.#story, event);
    this.#story = story;
    for (const line of lines) this.say(line);
  }

  /** Also without a live line a terminal is not to be redrawn, retitled or emptied by the worker's output. */
  #shown(stream: 'stdout' | 'stderr', text: string): string {
    return (stream === 'stdout' ? process.stdout : process.stderr).isTTY ? onScreen(text) : text;
  }

  #tellLeftOut(): void {
    const leftOut = this.#choice.streams.takeLeftOut();
    if (leftOut > 0) this.say(line(leftOutText(leftOut), 'warning', 'always'));
  }

  say(line: Line): void {
    if (this.#choice.quiet && line.weight !== 'always') return;
    this.#choice.streams.err(paintLine(this.#paint, line));
  }

  close(): void {}
}
