/**
 * The program: stop signals first, then the command, then the exit code. The only place that ends the process.
 * What is imported here is loaded before a signal can be handled, so it is the handlers and nothing else.
 */
import { StopSignals } from '../supervisor/stop-signals.ts';

/** How long last words wait for a terminal. */
const LAST_WORDS_MS = 2_000;

const signals = new StopSignals();

async function main(): Promise<number> {
  const { exitCodeOfSignal } = await import('./exit-codes.ts');
  // Until a run listens for itself, nothing is at stake and a stop signal simply ends us.
  signals.listen((signal) => {
    // The terminal has echoed ^C behind a question or a status line.
    if (process.stderr.isTTY) process.stderr.write('\n');
    process.exit(exitCodeOfSignal(signal));
  });
  const { surviveLostTerminal } = await import('./lost-terminal.ts');
  surviveLostTerminal();
  const { guardStreams } = await import('./streams.ts');
  const { MayWrite, unblock } = await import('./terminal-writes.ts');
  unblock(process.stdout);
  unblock(process.stderr);
  const mayWrite = new MayWrite();
  const streams = guardStreams(process.stdout, process.stderr, () => mayWrite.now());
  process.on('uncaughtException', (error) => void endBroken(error));
  process.on('unhandledRejection', (error) => void endBroken(error));
  const [{ runProgram }, { ownTerminal }, { stateHome }, { SYSTEM_CLOCKS }] = await Promise.all([
    import('./program.ts'),
    import('./terminal.ts'),
    import('../home.ts'),
    import('./clocks.ts'),
  ]);
  return runProgram(process.argv.slice(2), {
    home: stateHome(),
    cwd: process.cwd(),
    environment: process.env,
    stdin: process.stdin,
    streams,
    terminal: ownTerminal(),
    signals,
    clocks: SYSTEM_CLOCKS,
  });
}

/** A defect of ours: one line, never a stack on the screen; what a report needs goes to a file. */
async function endBroken(error: unknown): Promise<void> {
  const { recordDefect } = await import('./defect.ts');
  const { stateHome } = await import('../home.ts');
  process.stderr.write(recordDefect(error, stateHome(), process.env.NKAT_DEBUG === '1'));
  process.exit(70);
}

/** Not by an empty write where nothing waits: in the background of a terminal even that would stop us. */
function afterLastWords(stream: NodeJS.WriteStream, done: () => void): void {
  if (stream.writableLength === 0) done();
  else stream.write('', done);
}

/** Whatever a command left open must not keep us, but words on their way to a slow reader may arrive. */
function end(code: number): void {
  // A terminal that stands still takes them never.
  if (process.stdout.isTTY || process.stderr.isTTY) setTimeout(() => process.exit(code), LAST_WORDS_MS);
  afterLastWords(process.stdout, () => afterLastWords(process.stderr, () => process.exit(code)));
}

main().then(end, endBroken);
