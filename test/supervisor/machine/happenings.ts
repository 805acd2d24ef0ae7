/** Anything that can happen to a session, for fuzzing: an event kind that is added to the machine must be added here too. */
import fc from 'fast-check';
import type { Happening } from '../../../src/supervisor/machine/event.ts';

type Kind = Happening['type'];
type Details<K extends Kind> = fc.Arbitrary<Omit<Extract<Happening, { type: K }>, 'type'>>;

const nothing = fc.constant({});
const small = fc.nat({ max: 6 });
const step = fc.oneof(small, fc.nat({ max: 1_000 }));
const sequence = fc.option(small, { nil: null });
const phase = fc.constantFrom('load' as const, 'compile' as const, 'train' as const, 'eval' as const);
const request = fc.constantFrom(null, 'stop-1', 'stop-2', 'stranger');
const words = fc.constantFrom('x', 'Heap out of memory', '');
const kinds = fc.constantFrom(['auto'], ['emergency'], ['auto', 'emergency'], ['final'], ['best', 'manual']);
const SIGNALS = ['SIGKILL', 'SIGSEGV', 'SIGTERM', 'SIGABRT', 'SIGINT'] as const;

export const workerEnd = fc.record({
  code: fc.option(fc.constantFrom(0, 1, 75, 93, 137, 255), { nil: null }),
  signal: fc.option(fc.constantFrom(...SIGNALS), { nil: null }),
  source: fc.constantFrom('exit' as const, 'record' as const, 'vanished' as const),
});

const unseenEnd = fc.record({
  end: workerEnd,
  bootChanged: fc.boolean(),
  oomRecord: fc.constantFrom(null, 'Killed process 7'),
  resumedFrom: sequence,
  final: sequence,
  verifiedStep: fc.integer({ min: -1, max: 6 }),
  regularStep: fc.integer({ min: -1, max: 6 }),
  note: fc.constantFrom(null, 'x'),
});

const DETAILS: { readonly [K in Kind]: Details<K> } = {
  'orphan-found': fc.record(
    {
      attempt: small,
      resumedFrom: sequence,
      spoke: fc.boolean(),
      verified: fc.record({ verifiedStep: small, regularStep: small }),
    },
    { requiredKeys: ['attempt', 'resumedFrom', 'spoke'] },
  ),
  'no-orphan': fc.record(
    {
      unseenEnd: fc.option(unseenEnd, { nil: null }),
      settle: fc.record({ waitMs: fc.nat({ max: 60_000 }), reason: words }),
    },
    { requiredKeys: ['unseenEnd'] },
  ),
  'checkpoint-chosen': fc.record({
    sequence,
    steppedBack: fc.boolean(),
    verified: fc.option(fc.record({ step, kinds }), { nil: null }),
  }),
  'no-checkpoint': fc.record({ reason: words, missing: fc.boolean() }),
  'spawn-failed': fc.record({ errno: fc.constantFrom('ENOENT', 'ENOSPC', 'EAGAIN', 'EMFILE', null), reason: words }),
  'worker-connected': fc.record(
    { welcomed: fc.boolean(), phase, step, lastSaved: sequence, adaptsBatch: fc.boolean() },
    { requiredKeys: ['welcomed', 'phase', 'step', 'lastSaved'] },
  ),
  'channel-closed': nothing,
  'resume-changed': fc.record({ sequence }),
  'phase-changed': fc.record({ phase }),
  progressed: fc.record(
    { phase, step, lastStepAgeMs: fc.nat({ max: 1e6 }), waiting: fc.boolean() },
    { requiredKeys: ['phase', 'step', 'lastStepAgeMs'] },
  ),
  'request-acknowledged': fc.record({ request: request.map((id) => id ?? '') }),
  'save-started': nothing,
  'save-durable': fc.record({ request, sequence: small, step, tookMs: fc.nat({ max: 1e7 }) }),
  'checkpoint-verified': fc.record({ sequence: small, step, kinds }),
  'save-failed': fc.record({ request, code: fc.constantFrom('io', 'no-space'), message: words }),
  diverged: fc.record({ step, loss: fc.constantFrom('NaN', 'Infinity'), adapts: fc.boolean() }),
  'worker-done': nothing,
  'worker-ended': fc.record({ end: workerEnd }),
  'group-gone': nothing,
  'group-unkillable': fc.record({ survivors: fc.constantFrom([], ['pid 7 waits for its disk']) }),
  'evidence-gathered': fc.record({
    evidence: fc.record(
      {
        stderrTail: fc.constantFrom(
          [],
          ['SyntaxError: x'],
          ['FATAL ERROR: heap out of memory'],
          ['CUDA out of memory.'],
        ),
        oomRecord: fc.constantFrom(null, 'Killed process 7'),
        card: fc.record({
          loss: fc.option(fc.record({ words, hint: words }), { nil: null, freq: 8 }),
          xid: fc.constantFrom(null, 'Xid 31: x'),
        }),
      },
      { requiredKeys: ['stderrTail', 'oomRecord'] },
    ),
    random: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  }),
  confirmation: fc.record({ verified: fc.boolean(), reason: words }),
  'stop-signal': fc.record(
    {
      signal: fc.constantFrom('SIGINT' as const, 'SIGTERM' as const, 'SIGHUP' as const),
      command: fc.record({ reason: fc.constantFrom(null, 'x') }),
    },
    { requiredKeys: ['signal'] },
  ),
  'stopped-by': fc.record({ by: fc.constant('shutdown' as const) }),
  'card-overheated': fc.record({ reason: words }),
  'card-load': fc.record({ load: fc.constantFrom('idle' as const, 'busy' as const, 'unknown' as const) }),
  'card-ready': nothing,
  'woke-late': fc.record({ gapMs: fc.nat({ max: 1e6 }) }),
  'time-passed': nothing,
};

const KINDS = Object.keys(DETAILS) as Kind[];

/** @param among the kinds that may come; default: all */
export function happenings(among: readonly Kind[] = KINDS): fc.Arbitrary<Happening> {
  const one = (type: Kind): fc.Arbitrary<Happening> => {
    const details: fc.Arbitrary<object> = DETAILS[type];
    return details.map((data) => ({ type, ...data }) as Happening);
  };
  return fc.oneof(...among.map(one));
}
