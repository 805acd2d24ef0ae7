import { expect, test } from 'vitest';
import { drillWords } from '../../../src/cli/render/drill-words.ts';
import type { SessionDrill } from '../../../src/drill/types.ts';

const CHOSEN = { sequence: 6, step: 42, epoch: 4, path: '/c', createdAt: '2026-11-24T01:41:22.000Z' };

function verdict(changes: Partial<SessionDrill>): string | undefined {
  const session = {
    session: '20261124_014115_vx4n',
    name: null,
    state: 'crashed',
    level: 3,
    ok: true,
    checkpoints: [],
    chosen: CHOSEN,
    stepsLost: 13,
    times: { detectMs: 1, chooseMs: 1, verifyMs: 1, restoreMs: null, firstStepMs: null, totalMs: 3 },
    rehearsal: null,
    replay: null,
    injected: [],
    problems: [],
    warnings: [],
    ...changes,
  } as unknown as SessionDrill;
  const report = { drill: 'd', startedAt: '', endedAt: '', ok: session.ok, sessions: [session] };
  return drillWords(report, null, (text) => text).at(-1);
}

// The trainer may have saved more than that on the copy, but a crash of the session itself would not find it.
test('faults on a copy: what a crash now would go on from with them, not what the rehearsal came to', () => {
  const injected = [{ name: 'disk-full', ok: true, text: 'with room again it saved 8' }];
  const from = 'from checkpoint 6 (epoch 4, step 42); 13 steps would be lost';
  expect(verdict({})).toBe(`Good: a crash now would go on ${from}`);
  expect(verdict({ injected })).toBe(`Good: with these faults a crash now would go on ${from}`);
  expect(verdict({ injected, ok: false })).toBe(
    `NOT GOOD, see above. With these faults a crash now would go on ${from}`,
  );
  expect(verdict({ chosen: null, ok: false })).toBe('NOT RECOVERABLE: after a crash now 13 steps would be lost');
});
