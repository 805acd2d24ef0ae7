import ora, { type Ora } from 'ora';
import type { ProgressFacts, SupervisorEvent } from '../../supervisor/events.ts';
import { inForeground } from '../terminal.ts';
import { leftOutText } from './left-out.ts';
import { isLibraryLog } from './library-log.ts';
import { type Line, line } from './line.ts';
import { LiveScreen } from './live-screen.ts';
import { type Paint, paintLine, paintWith } from './paint.ts';
import { liveText, type StopInProgress } from './progress-words.ts';
import type { RendererChoice, RunRenderer } from './run-renderer.ts';
import { NO_STORY, type Story } from './story.ts';
import { type Waiting, waitingAfter } from './waiting-words.ts';
import { onScreen } from './width.ts';
import { tell } from './words.ts';

/** Calm on the eye and under 0.1 % of a core. */
const FRAME_MS = 400;
/** Output is gathered this long, so that a flood of lines redraws the live line 20 times a second at most. */
const GATHER_MS = 50;
/** The spinner's frame, the space after it, and a free last column: a full line would wrap. */
const RESERVED_COLUMNS = 3;

interface Gathered {
  readonly stream: 'stdout' | 'stderr';
  /** Words of ours, which are shown in any case. */
  readonly own: boolean;
  text: string;
}

/** One line on stderr that is rewritten in place; events and the worker's output scroll by above it. */
export class LiveRenderer implements RunRenderer {
  readonly #choice: RendererChoice;
  readonly #paint: Paint;
  readonly #spinner: Ora;
  readonly #clock: NodeJS.Timeout;
  #story: Story = { ...NO_STORY, showsOutput: true };
  #progress: ProgressFacts | null = null;
  #reportedAt = 0;
  #waiting: Waiting | null = null;
  #stop: StopInProgress | null = null;
  #gathered: Gathered[] = [];
  #gathering: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(choice: RendererChoice) {
    this.#choice = choice;
    this.#paint = paintWith(choice.terminal.colourErr);
    this.#spinner = ora({
      stream: new LiveScreen(choice.streams, process.stderr),
      isEnabled: true,
      color: choice.terminal.colourErr ? 'cyan' : false,
      // Ora would put the terminal into raw mode, and a killed supervisor would leave the cursor hidden.
      discardStdin: false,
      hideCursor: false,
      spinner: { interval: FRAME_MS, frames: ['∙', '•'] },
    });
    this.#spinner.text = this.#text();
    this.#spinner.start();
    this.#clock = setInterval(() => this.#refresh(), FRAME_MS);
    process.on('SIGTSTP', this.#suspend);
    process.on('SIGCONT', this.#draw);
    choice.streams.onErrLost(() => this.#stopSpinner());
  }

  handle(event: SupervisorEvent): void {
    if (this.#closed) return;
    if (event.name === 'output') {
      if (isLibraryLog(event.stream, event.line)) return;
      this.#gather(event.stream, `${this.#shown(event.stream, event.line)}\n`, false);
      return;
    }
    if (event.name === 'progress') {
      this.#progress = event;
      this.#reportedAt = this.#choice.clocks.monotonic();
    }
    this.#waiting = waitingAfter(this.#waiting, event, this.#choice.clocks.monotonic());
    if (event.name === 'worker-ended') this.#progress = null;
    if (event.name === 'stop-requested') {
      this.#stop = { stage: event.stage, deadlineAt: this.#choice.clocks.monotonic() + event.deadlineMs };
    }
    const { story, lines } = tell(this.#story, event);
    this.#story = story;
    // The summary stands where the live line was.
    if (event.name === 'session-ended') this.#stopSpinner();
    for (const line of lines) this.say(line);
    this.#refresh();
  }

  say(line: Line): void {
    // Routine saves show in the live line as the age of the last one.
    if (line.weight !== 'detail') this.#gather('stderr', paintLine(this.#paint, line), true);
  }

  close(): void {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    this.#stopSpinner();
  }

  /** Ctrl-Z: the shell's prompt comes next, so the live line goes first. */
  readonly #suspend = (): void => {
    this.#spinner.clear();
    this.#spinner.isSilent = true;
    process.kill(process.pid, 'SIGSTOP');
  };

  /** A job in the background must not draw over what is typed, and `stty tostop` would stop it for that. */
  readonly #draw = (): void => {
    this.#spinner.isSilent = !inForeground();
  };

  #stopSpinner(): void {
    process.removeListener('SIGTSTP', this.#suspend);
    process.removeListener('SIGCONT', this.#draw);
    clearInterval(this.#clock);
    if (this.#spinner.isSpinning) this.#spinner.stop();
  }

  /** A line of the worker that shares the terminal with the live line must not move its cursor. */
  #shown(stream: 'stdout' | 'stderr', text: string): string {
    return (stream === 'stdout' ? process.stdout : process.stderr).isTTY ? onScreen(text) : text;
  }

  #gather(stream: Gathered['stream'], text: string, own: boolean): void {
    const last = this.#gathered.at(-1);
    if (last?.stream === stream && last.own === own) last.text += text;
    else this.#gathered.push({ stream, text, own });
    this.#gathering ??= setTimeout(() => this.#flush(), GATHER_MS);
  }

  #flush(): void {
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    this.#gathering = null;
    const gathered = this.#gathered;
    this.#gathered = [];
    for (const { stream, text, own } of gathered) {
      const worth = own ? 'kept' : 'passing';
      if (stream === 'stdout') this.#choice.streams.out(text, worth);
      else this.#choice.streams.err(text, worth);
    }
    const leftOut = this.#choice.streams.takeLeftOut();
    if (leftOut > 0) this.#choice.streams.err(paintLine(this.#paint, line(leftOutText(leftOut), 'warning', 'always')));
  }

  #refresh(): void {
    this.#draw();
    this.#spinner.text = this.#text();
  }

  #text(): string {
    const { clocks, terminal } = this.#choice;
    const monotonic = clocks.monotonic();
    const clock = { sinceMs: monotonic - this.#reportedAt, monotonic };
    return liveText(this.#progress, this.#stop, clock, terminal.columnsErr() - RESERVED_COLUMNS, this.#waiting);
  }
}
