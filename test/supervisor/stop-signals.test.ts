import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { limitAfter, StopSignals } from '../../src/supervisor/stop-signals.ts';

/** Signals at virtual times; every one goes to whoever handles it. */
function bench(terminal: boolean, platform: NodeJS.Platform = 'linux') {
  const emitter = new EventEmitter();
  const clock = { nowMs: 0 };
  const signals = new StopSignals({ emitter, terminal, platform, now: () => clock.nowMs });
  const send = (signal: NodeJS.Signals, atMs: number): boolean => {
    clock.nowMs = atMs;
    return emitter.emit(signal, signal);
  };
  const received: string[] = [];
  const listen = (): void => signals.listen((signal) => received.push(`${signal} ${clock.nowMs}`));
  return { emitter, signals, send, received, listen };
}

test('one Ctrl-C under npx arrives twice and counts once', () => {
  const { send, received, listen } = bench(true);
  listen();
  send('SIGINT', 5000);
  send('SIGINT', 5001);
  expect(received).toEqual(['SIGINT 5000']);
});

test('a signal a second later counts, and hammering gets through', () => {
  const { send, received, listen } = bench(true);
  listen();
  for (let atMs = 0; atMs <= 2500; atMs += 250) send('SIGINT', atMs);
  expect(received).toEqual(['SIGINT 0', 'SIGINT 1000', 'SIGINT 2000']);
});

test('different signals within a second are one request', () => {
  const { send, received, listen } = bench(true);
  listen();
  send('SIGTERM', 0);
  send('SIGHUP', 10);
  send('SIGUSR2', 1500);
  expect(received).toEqual(['SIGTERM 0', 'SIGUSR2 1500']);
});

test('signals before anyone listens are kept, in order', () => {
  const { send, received, listen } = bench(true);
  send('SIGINT', 0);
  send('SIGINT', 1);
  send('SIGTERM', 2000);
  listen();
  expect(received.map((entry) => entry.split(' ')[0])).toEqual(['SIGINT', 'SIGTERM']);
});

test('SIGHUP is a stop signal with a terminal, and handled but ignored without one', () => {
  const withTerminal = bench(true);
  withTerminal.listen();
  withTerminal.send('SIGHUP', 0);
  expect(withTerminal.received).toEqual(['SIGHUP 0']);
  const without = bench(false);
  without.listen();
  expect(without.send('SIGHUP', 0)).toBe(true);
  // Ignored also for the debounce.
  without.send('SIGTERM', 10);
  expect(without.received).toEqual(['SIGTERM 10']);
});

test('handlers are installed at once on the real process and removed by close', () => {
  const before = process.listenerCount('SIGUSR2');
  const signals = new StopSignals();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGUSR2', 'SIGHUP'] as const)
    expect(process.listenerCount(signal)).toBeGreaterThan(0);
  expect(process.listenerCount('SIGUSR2')).toBe(before + 1);
  signals.close();
  expect(process.listenerCount('SIGUSR2')).toBe(before);
});

test('after close nothing is received', () => {
  const { signals, send, received, listen } = bench(true);
  listen();
  signals.close();
  expect(send('SIGINT', 0)).toBe(false);
  expect(received).toEqual([]);
});

test('on Windows a closed console and Ctrl-Break are stop signals, wherever the output goes', () => {
  const { send, received, listen, emitter, signals } = bench(false, 'win32');
  listen();
  send('SIGHUP', 0);
  send('SIGBREAK', 2000);
  expect(received).toEqual(['SIGHUP 0', 'SIGBREAK 2000']);
  // Node has no such signal there, and listening for it would be refused.
  expect(emitter.listenerCount('SIGUSR2')).toBe(0);
  signals.close();
  expect(emitter.eventNames()).toEqual([]);
});

test('what is left after a closed console is less than the 10 s after which Windows ends us; other signals leave all the time', () => {
  expect(limitAfter('SIGHUP', 'win32')).toBe(8_000);
  expect([limitAfter('SIGBREAK', 'win32'), limitAfter('SIGINT', 'win32'), limitAfter('SIGHUP', 'linux')]).toEqual([
    null,
    null,
    null,
  ]);
});
