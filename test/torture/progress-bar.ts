/** How far a torture run is: one line that is drawn again on a terminal, a line every tenth elsewhere. */
const WIDTH = 30;

export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): boolean;
}

export class ProgressBar {
  readonly #output: ProgressOutput;
  readonly #all: number;
  readonly #began = performance.now();
  #done = 0;
  #findings = 0;
  #tenths = 0;

  constructor(output: ProgressOutput, all: number) {
    this.#output = output;
    this.#all = all;
    this.#draw();
  }

  advance(blows: number, findings: number): void {
    this.#done += blows;
    this.#findings += findings;
    this.#draw();
  }

  /** Above the bar. */
  say(text: string): void {
    this.#output.write(`${this.#output.isTTY ? '\r\x1b[K' : ''}${text}\n`);
    this.#draw();
  }

  end(): void {
    if (this.#output.isTTY) this.#output.write('\n');
  }

  #draw(): void {
    const share = this.#all === 0 ? 1 : this.#done / this.#all;
    const leftMs = share === 0 ? null : ((performance.now() - this.#began) * (1 - share)) / share;
    const left = leftMs === null ? '' : `, ${Math.ceil(leftMs / 60_000)} min left`;
    const filled = '#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.');
    const line = `[${filled}] ${this.#done}/${this.#all}, lost: ${this.#findings}${left}`;
    if (this.#output.isTTY) this.#output.write(`\r\x1b[K${line}`);
    else if (Math.floor(share * 10) > this.#tenths) {
      this.#tenths = Math.floor(share * 10);
      this.#output.write(`${line}\n`);
    }
  }
}
