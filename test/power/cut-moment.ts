/** When the power goes: chosen by chance, waited for in a real run. */
import type { Run } from '../rig/run.ts';
import type { Chance } from '../rig/seeded.ts';
import { stagedSequences } from './look-at-disk.ts';

export type CutMoment =
  /** So far into the n-th commit of this boot, as a share of how long commits take here. */
  | { readonly kind: 'in-commit'; readonly nth: number; readonly share: number }
  /** After the n-th acknowledgement: read back, copy of the best, rotation. */
  | { readonly kind: 'after-ack'; readonly nth: number; readonly afterMs: number }
  /** Whenever: this many steps after the first one of this boot. */
  | { readonly kind: 'anywhere'; readonly steps: number; readonly afterMs: number }
  /** While the machine starts, chooses, launches and restores. */
  | { readonly kind: 'at-start'; readonly afterMs: number };

export interface Cut {
  readonly moment: CutMoment;
  /** The log of the file system is written first. */
  readonly flush: boolean;
}

/** Of a commit that was not timed yet. */
const FIRST_COMMIT_MS = 25;

/** Pure: more than half aim into a commit, for that is where a protocol can be wrong. */
export function drawCut(chance: Chance): Cut {
  const flush = chance.next() < 0.35;
  const kind = chance.next();
  const nth = chance.between(1, 4);
  if (kind < 0.6) return { flush, moment: { kind: 'in-commit', nth, share: chance.next() } };
  if (kind < 0.8) return { flush, moment: { kind: 'after-ack', nth, afterMs: chance.next() * 12 } };
  const afterMs = chance.next() * 900;
  if (kind < 0.9) return { flush, moment: { kind: 'at-start', afterMs } };
  return { flush, moment: { kind: 'anywhere', steps: chance.between(0, 40), afterMs: chance.next() * 10 } };
}

/** Resolves at the moment, or when the run has ended before it came. */
export async function momentOf(run: Run, moment: CutMoment, seen: (path: string) => string): Promise<void> {
  const over = run.exited.then(() => undefined);
  const began = performance.now();
  await Promise.race([over, reached(run, moment, seen, began).catch(() => over)]);
}

async function reached(run: Run, moment: CutMoment, seen: (path: string) => string, began: number): Promise<void> {
  switch (moment.kind) {
    case 'in-commit': {
      const opened = await run.event('session-opened');
      await run.event('save-started', () => true, moment.nth);
      const times = run.named('saved').map(({ writeMs }) => writeMs);
      const typicalMs = times.length === 0 ? FIRST_COMMIT_MS : times.reduce((sum, ms) => sum + ms, 0) / times.length;
      const saved = run.named('saved').length;
      // The event comes a little before the commit; a commit that was too fast is as good a moment.
      const hasBegun = (): boolean =>
        stagedSequences(seen(opened.directory)).length > 0 || run.named('saved').length > saved;
      while (!hasBegun()) await turn(run);
      await pass(performance.now(), moment.share * typicalMs);
      return;
    }
    case 'after-ack':
      await run.event('saved', () => true, moment.nth);
      await pass(performance.now(), moment.afterMs);
      return;
    case 'anywhere': {
      const { step } = await run.event('training-started');
      await run.event('progress', (event) => event.step >= step + moment.steps);
      await pass(performance.now(), moment.afterMs);
      return;
    }
    case 'at-start':
      await pass(began, moment.afterMs);
  }
}

/** Precisely, where a timer would be a millisecond late; the run is read meanwhile. */
async function pass(from: number, ms: number): Promise<void> {
  while (performance.now() < from + ms) {
    if (from + ms - performance.now() > 5) await new Promise((resolve) => setTimeout(resolve, 2));
    else await new Promise((resolve) => setImmediate(resolve));
  }
}

async function turn(run: Run): Promise<void> {
  if (run.child.exitCode !== null || run.child.signalCode !== null) throw new Error('the run has ended');
  await new Promise((resolve) => setImmediate(resolve));
}
