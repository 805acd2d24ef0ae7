import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Streams } from './streams.ts';

export type Answer = 'yes' | 'no' | 'end';

/**
 * Asks on stderr until the answer is one. An empty line is the fallback; `end`: the input ended before an answer. The terminal
 * stays in its own line mode, so that Ctrl-C is a signal as everywhere else.
 */
export async function askYesNo(
  question: string,
  stdin: Readable,
  streams: Streams,
  fallback: 'yes' | 'no' = 'yes',
): Promise<Answer> {
  const lines = createInterface({ input: stdin, terminal: false });
  try {
    streams.err(`${question} ${fallback === 'yes' ? '[Y/n]' : '[y/N]'} `);
    for await (const line of lines) {
      const answer = line.trim().toLowerCase();
      if (answer === '') return fallback;
      if (answer === 'y' || answer === 'yes') return 'yes';
      if (answer === 'n' || answer === 'no') return 'no';
      streams.err('Please answer y or n: ');
    }
    streams.err('\n');
    return 'end';
  } finally {
    lines.close();
    // An open terminal stream would keep this process, and a read in progress would take input from the next one.
    stdin.pause();
  }
}
