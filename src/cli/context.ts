/** What every command works with; `main.ts` makes it, tests make their own. */
import type { Readable } from 'node:stream';
import type { StateHome } from '../home.ts';
import type { StopSignalSource } from '../supervisor/options.ts';
import type { Clocks } from './clocks.ts';
import type { Streams } from './streams.ts';
import type { Terminal } from './terminal.ts';

export interface CommandContext {
  readonly home: StateHome;
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly stdin: Readable;
  readonly streams: Streams;
  readonly terminal: Terminal;
  readonly signals: StopSignalSource;
  readonly clocks: Clocks;
}
