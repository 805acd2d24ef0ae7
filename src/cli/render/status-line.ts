import type { CommandContext } from '../context.ts';
import { cutToWidth } from './width.ts';

const CLEAR = '\r\u001b[2K';

/** Where a long command is, on a terminal; elsewhere nothing. */
export class StatusLine {
  readonly #context: Pick<CommandContext, 'streams' | 'terminal'>;
  #shown = false;

  constructor(context: Pick<CommandContext, 'streams' | 'terminal'>) {
    this.#context = context;
  }

  show(text: string): void {
    const { streams, terminal } = this.#context;
    if (!terminal.live) return;
    streams.err(`${CLEAR}${cutToWidth(text, terminal.columnsErr() - 1)}`);
    this.#shown = true;
  }

  clear(): void {
    if (this.#shown) this.#context.streams.err(CLEAR);
    this.#shown = false;
  }
}
