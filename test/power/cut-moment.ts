/** When the power goes: chosen by chance, waited for in a real run. */
import type { Run } from '../rig/run.ts';
import type { Chance } from '../rig/seeded.ts';
import type { CommitWatch } from './commit-watch.ts';

export type CutMoment =
  /** So far into the n-th commit of this boot, as a share of how long commits take here. */
  | { readonly kind: 'in-commit'; readonly nth: number; readonly share: number }
  /** The n-th commit has got its name: the rename is done, and the folder that holds it may not be on the disk. */
  | { readonly kind: 'at-rename'; readonly nth: number }
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

/**
 * Most aim into a commit, for that is where a protocol can be wrong; all of them while `mustBeInside`, which is asked for
 * as long as too few of the cuts before fell into one.
 */
export function drawCut(chance: Chance, mustBeInside: boolean): Cut {
  const flush = chance.next() < 0.35;
  const kind = chance.next() * (mustBeInside ? 0.65 : 1);
  const nth = chance.between(1, 4);
  if (kind < 0.5) return { flush, moment: { kind: 'in-commit', nth, share: chance.next() } };
  if (kind < 0.65) return { flush, moment: { kind: 'at-rename', nth } };
  if (kind < 0.8) return { flush, moment: { kind: 'after-ack', nth, afterMs: chance.next() * 12 } };
  const afterMs = chance.next() * 900;
  if (kind < 0.9) return { flush, moment: { kind: 'at-start', afterMs } };
  return { flush, moment: { kind: 'anywhere', steps: chance.between(0, 40), afterMs: chance.next() * 10 } };
}

/** Resolves at the moment, or when the run has ended before it came. */
export async function momentOf(run: Run, moment: CutMoment, commits: CommitWatch): Promise<void> {
  const over = run.exited.then(() => undefined);
  const began = performance.now();
  await Promise.race([over, reached(run, moment, commits, began).catch(() => over)]);
}

async function reached(run: Run, moment: CutMoment, commits: CommitWatch, began: number): Promise<void> {
  switch (moment.kind) {
    case 'in-commit': {
      await run.event('save-started', () => true, moment.nth);
      for (let { share } = moment; ; share /= 2) {
        const sequence = await staged(run, commits);
        const times = run.named('saved').map(({ writeMs }) => writeMs);
        const typicalMs = times.length === 0 ? FIRST_COMMIT_MS : times.reduce((sum, ms) => sum + ms, 0) / times.length;
        await pass(performance.now(), share * typicalMs);
        // One that was quicker than the others is over: into the next one then, and earlier.
        if ([...commits.staged, ...commits.renamed].includes(sequence)) return;
      }
    }
    case 'at-rename': {
      await run.event('save-started', () => true, moment.nth);
      const sequence = await staged(run, commits);
      while (commits.staged.includes(sequence)) await turn(run);
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

/** The commit that is being written now, or the next one that is. */
async function staged(run: Run, commits: CommitWatch): Promise<number> {
  for (;;) {
    const sequence = commits.staged.at(-1);
    if (sequence !== undefined) return sequence;
    await turn(run);
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
