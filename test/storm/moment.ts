/** Waiting for the moments that a blow aims at. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../rig/run.ts';
import type { Moment } from './blow.ts';

/** The longest wait for the event that a blow aims at; then it falls without. */
const AIM_MS = 1_500;
/** The same for the count of an end, which a supervisor makes within moments. */
const COUNT_MS = 2_000;

/** Under which word of the counts a kill at this moment goes. */
export function wordOf({ after }: Moment): string | null {
  if (after === 'save-started' || after === 'saved') return 'while saving';
  return after === 'progress' ? null : 'while starting or restoring';
}

/** Resolves at the moment, or when the run has ended before. */
export async function reach(run: Run, { after, ms }: Moment): Promise<void> {
  if (after !== 'launch') {
    const seen = run.named(after).length;
    const came = run.event(after, () => true, seen + 1).catch(() => undefined);
    await Promise.race([came, pass(AIM_MS), run.exited]);
  }
  await Promise.race([pass(ms), run.exited]);
}

export function hasEnded({ child }: Run): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

export function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves as soon as it stands in the session's record that the end of its worker was counted. */
export async function counted(run: Run, directory: string): Promise<void> {
  const path = join(directory, 'session.json');
  const until = performance.now() + COUNT_MS;
  const attempt = workerIn(path)?.attempt;
  for (;;) {
    const worker = workerIn(path);
    const isPast = worker === null || worker.attempt !== attempt || worker.counted === true;
    if (isPast || hasEnded(run) || performance.now() > until) return;
    // Not a timer's millisecond: what is waited for is over in a few.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function workerIn(path: string): { attempt: number; counted?: boolean } | null {
  return JSON.parse(readFileSync(path, 'utf8')).worker;
}

/** Whether such a moment comes only after the death of the worker that trains. */
export function needsDeath(run: Run, { after }: Moment): boolean {
  return after === 'attempt-started' || (after === 'worker-connected' && run.named(after).length > 0);
}
