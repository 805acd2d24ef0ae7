/** Where reports on the cards go: one screen that is drawn anew, lines one after another, or JSON. */
import type { CommandContext } from './context.ts';
import { gpuJson } from './render/gpu-json.ts';
import { type GpuReport, gpuWords } from './render/gpu-words.ts';
import { line } from './render/line.ts';
import { type Paint, paintLine, paintWith } from './render/paint.ts';
import { cutToWidth } from './render/width.ts';

/** Private modes of xterm: 1049 is a screen of our own, so that what stood there before comes back; 25 is the cursor. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

export class CardsShown {
  readonly #context: Pick<CommandContext, 'streams' | 'terminal'>;
  readonly #json: boolean;
  readonly #screen: boolean;
  readonly #paint: Paint;
  #entered = false;

  /** @param isWatched more reports than one may come */
  constructor(context: Pick<CommandContext, 'streams' | 'terminal'>, json: boolean, isWatched: boolean) {
    this.#context = context;
    this.#json = json;
    this.#screen = isWatched && !json && context.terminal.liveOut;
    this.#paint = paintWith(context.terminal.colourOut);
  }

  show(report: GpuReport): void {
    const { streams } = this.#context;
    if (this.#json) streams.out(`${JSON.stringify(gpuJson(report))}\n`);
    else if (this.#screen) this.#draw(report);
    else streams.out(this.#text(report));
  }

  /** What was seen last stays on the terminal. */
  close(last: GpuReport): void {
    if (!this.#entered) return;
    this.#context.streams.out(`${LEAVE}${this.#text(last)}`);
  }

  #text(report: GpuReport): string {
    return gpuWords(report)
      .map((each) => paintLine(this.#paint, each))
      .join('');
  }

  /** Cut to the screen: one that scrolls cannot be drawn over. */
  #draw(report: GpuReport): void {
    const { streams, terminal } = this.#context;
    const rows = terminal.rowsOut() ?? 24;
    const columns = terminal.columnsOut() ?? 80;
    const foot = line('Ctrl-C ends this', 'faint');
    const shown = [...gpuWords(report).slice(0, rows - 2), foot].map((each) => {
      return `${paintLine(this.#paint, { ...each, text: cutToWidth(each.text, columns - 1) }).trimEnd()}${CLEAR_LINE}`;
    });
    streams.out(`${this.#entered ? '' : ENTER}${HOME}${shown.join('\r\n')}${CLEAR_BELOW}`);
    this.#entered = true;
  }
}
