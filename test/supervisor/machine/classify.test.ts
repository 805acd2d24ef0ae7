import fc from 'fast-check';
import { expect, test } from 'vitest';
import { classify, type EndFacts, type ExitClass } from '../../../src/supervisor/machine/classify.ts';

const FACTS: EndFacts = {
  end: { code: 1, signal: null, source: 'exit' },
  evidence: { stderrTail: [], oomRecord: null },
  spawnError: null,
  bootChanged: false,
  connected: true,
  ranMs: 60_000,
  done: false,
  everStepped: true,
  stopSignal: null,
  hungForMs: null,
  diverged: null,
  stopFailure: null,
  noRestartCodes: [3],
};

const exit = (code: number): Pick<EndFacts, 'end'> => ({ end: { code, signal: null, source: 'exit' } });
const died = (signal: NodeJS.Signals): Pick<EndFacts, 'end'> => ({ end: { code: null, signal, source: 'exit' } });

const lastWords = (...stderrTail: string[]): Pick<EndFacts, 'evidence'> => ({
  evidence: { stderrTail, oomRecord: null },
});
const lost: Pick<EndFacts, 'evidence'> = {
  evidence: { stderrTail: [], oomRecord: null, card: { loss: { words: 'GPU 0: it is lost', hint: 'x' }, xid: null } },
};
const HEAP = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory';

const TABLE: readonly [string, Partial<EndFacts>, ExitClass][] = [
  ['code 0 after done', { ...exit(0), done: true }, 'completed'],
  ['code 0 of a worker that never connected', { ...exit(0), connected: false }, 'completed'],
  ['code 0 without done', exit(0), 'completed'],
  ['exit 93', exit(93), 'fatal'],
  ['a no-restart code', exit(3), 'fatal'],
  ['exit 93 before the first step', { ...exit(93), everStepped: false }, 'fatal'],
  ['exit 75 by itself', exit(75), 'requested'],
  ['exit 75 while stopping', { ...exit(75), stopSignal: 'SIGINT' }, 'interrupted'],
  ['killed while stopping', { ...died('SIGKILL'), stopSignal: 'SIGINT' }, 'interrupted'],
  ['done and exit 0 while stopping', { ...exit(0), done: true, stopSignal: 'SIGINT' }, 'completed'],
  ['launch failed', { spawnError: 'no such file' }, 'config'],
  ['throw before the first step', { everStepped: false }, 'config'],
  ['throw later', {}, 'error'],
  ['a script without the SDK that fails at once', { everStepped: false, connected: false, ranMs: 9_999 }, 'config'],
  ['a script without the SDK that fails later', { everStepped: false, connected: false }, 'error'],
  [
    'a whole group that was killed, with an OOM record',
    {
      end: { code: null, signal: null, source: 'vanished' },
      evidence: { stderrTail: [], oomRecord: 'x' },
    },
    'host-oom',
  ],
  ['SIGKILL with an OOM record', { ...died('SIGKILL'), evidence: { stderrTail: [], oomRecord: 'x' } }, 'host-oom'],
  ['SIGKILL without', died('SIGKILL'), 'killed'],
  ['SIGKILL before the first step', { ...died('SIGKILL'), everStepped: false }, 'killed'],
  ['SIGSEGV', died('SIGSEGV'), 'native-crash'],
  ['SIGABRT', died('SIGABRT'), 'native-crash'],
  ['SIGABRT, and V8 tells of its heap', { ...died('SIGABRT'), ...lastWords(HEAP) }, 'heap-oom'],
  [
    'the same through a shell, before the first step',
    { ...exit(134), everStepped: false, ...lastWords(HEAP) },
    'heap-oom',
  ],
  ['an error of its own after such words', lastWords(HEAP), 'error'],
  ['a thread that ran out of its heap', lastWords("  code: 'ERR_WORKER_OUT_OF_MEMORY'"), 'heap-oom'],
  ['SIGTERM of somebody else', died('SIGTERM'), 'killed'],
  ['NaN', { diverged: { step: 4, loss: 'NaN' } }, 'diverged'],
  [
    'last words of a full disk, exit 1',
    { evidence: { stderrTail: ['Error: ENOSPC: no space left on device, write'], oomRecord: null } },
    'disk-full',
  ],
  ['ended by us for silence', { ...died('SIGKILL'), hungForMs: 60_000 }, 'hang'],
  ['stopped by us for a hot card', { ...exit(75), overheated: 'x' }, 'overheated'],
  ['a hot card, and the operator was first', { ...exit(75), overheated: 'x', stopSignal: 'SIGINT' }, 'interrupted'],
  ['its card is lost', { ...died('SIGABRT'), ...lost }, 'gpu-lost'],
  ['its card is lost, before the first step', { everStepped: false, ...lost }, 'gpu-lost'],
  ['it hung on a lost card', { ...died('SIGKILL'), hungForMs: 60_000, ...lost }, 'gpu-lost'],
  ['done on a lost card', { ...exit(0), done: true, ...lost }, 'completed'],
  ['stopped on a lost card', { ...exit(75), stopSignal: 'SIGINT', ...lost }, 'interrupted'],
  ['the card was full', lastWords('CUDA out of memory.'), 'gpu-oom'],
  ['the card was full at once', { everStepped: false, ...lastWords('CUDA out of memory.') }, 'gpu-oom'],
  ['the card was full, native', { ...died('SIGABRT'), ...lastWords('OOM when allocating tensor') }, 'gpu-oom'],
  ['a full card and exit 93', { ...exit(93), ...lastWords('CUDA out of memory.') }, 'fatal'],
  ['no exit record', { end: { code: null, signal: null, source: 'vanished' } }, 'vanished'],
  ['another boot', { end: { code: null, signal: null, source: 'vanished' }, bootChanged: true }, 'power-cut'],
];

test.each(TABLE)('%s', (_name, facts, expected) => {
  expect(classify({ ...FACTS, ...facts }).class).toBe(expected);
});

test('total: every combination of facts has a class and a reason', () => {
  const signals: (NodeJS.Signals | null)[] = [null, 'SIGKILL', 'SIGSEGV', 'SIGTERM', 'SIGHUP'];
  const facts = fc.record({
    end: fc.record({
      code: fc.option(fc.integer({ min: 0, max: 255 }), { nil: null }),
      signal: fc.constantFrom(...signals),
      source: fc.constantFrom('exit' as const, 'record' as const, 'vanished' as const),
    }),
    evidence: fc.record({ stderrTail: fc.constant([]), oomRecord: fc.option(fc.string(), { nil: null }) }),
    spawnError: fc.option(fc.string({ minLength: 1 }), { nil: null }),
    bootChanged: fc.boolean(),
    connected: fc.boolean(),
    ranMs: fc.nat(),
    done: fc.boolean(),
    everStepped: fc.boolean(),
    stopSignal: fc.option(fc.constant('SIGINT'), { nil: null }),
    hungForMs: fc.option(fc.nat(), { nil: null }),
    diverged: fc.option(fc.constant({ step: 1, loss: 'NaN' }), { nil: null }),
    stopFailure: fc.constantFrom(null, 'no-space: full'),
    noRestartCodes: fc.constant([3]),
  });
  fc.assert(fc.property(facts, (any) => classify(any).reason.length > 0));
});

test('a full heap is told with its size and with the option that gives more', () => {
  const collected =
    '[7:0x1]  707 ms: Mark-Compact 4080.1 (4133.8) -> 4078.4 (4140.1) MB, 75.65 / 0.00 ms allocation failure';
  const { reason, hint } = classify({ ...FACTS, ...died('SIGABRT'), ...lastWords(collected, HEAP) });
  expect(reason).toBe("SIGABRT: V8's JavaScript heap was full at 4078 MB");
  expect(hint).toContain('NODE_OPTIONS=--max-old-space-size=8192');
  expect(classify({ ...FACTS, ...died('SIGABRT'), ...lastWords(HEAP) }).hint).toContain('--max-old-space-size=4096');
});

test.each([
  ['Error: label file is missing\nwith more', 'exit code 1 (Error: label file is missing)'],
  ['TypeError [ERR_X]: no\n    at train.ts:3\n\nNode.js v20', 'exit code 1 (TypeError [ERR_X]: no)'],
  [
    'Traceback (most recent call last):\n  File "t.py"\nValueError: no\nRuntimeError: bad shape',
    'exit code 1 (RuntimeError: bad shape)',
  ],
  ['torch.cuda.SomeError: odd', 'exit code 1 (torch.cuda.SomeError: odd)'],
  ['No error: all is well\nloss 3', 'exit code 1'],
  [`Error: ${'x'.repeat(500)}`, `exit code 1 (Error: ${'x'.repeat(153)}...)`],
])('what it ended by stands in the reason: %j', (text, reason) => {
  expect(classify({ ...FACTS, ...lastWords(...text.split('\n')) })).toEqual({ class: 'error', reason });
});

test('what the SDK says of a run that was refused stands in the reason, in one line', () => {
  const said = (line: string): string =>
    classify({ ...FACTS, ...exit(78), ...lastWords('TypeError: an earlier one', line, 'Waiting for nothing') }).reason;
  const why = 'exit code 78: it cannot go on as it is set up';
  expect(said('nkat-recover: /data is empty. Mount it.')).toBe(`${why} (/data is empty. Mount it.)`);
  expect(said(`nkat-recover: ${'x'.repeat(900)}`)).toBe(`${why} (${'x'.repeat(160)}...)`);
  expect(said('nothing of ours')).toBe(`${why} (TypeError: an earlier one)`);
});
