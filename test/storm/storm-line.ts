/** The training that the storms break into, and what it comes to when nothing does. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Reference, referenceOf } from '../power/reference.ts';

/** The installation that lies here. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const EPOCHS = 160;
const STEPS_PER_EPOCH = 25;
export const ALL_STEPS = EPOCHS * STEPS_PER_EPOCH;
const TRAINING = ['--epochs', EPOCHS, '--steps-per-epoch', STEPS_PER_EPOCH, '--size-mib', 1].map(String);
/** Longer than any storm, so that there is always something to break: {@link stormLine}'s `hurry` ends it. */
const STEP_MS = 24;
const SAVE_EVERY_STEPS = 5;
export const KEEP = 3;

/**
 * @param root of an installation
 * @param hurry a file: once it is there, the training makes its last steps without waiting
 */
export function stormLine(root: string, hurry: string, options: readonly string[]): string[] {
  // The waits between restarts are there, and short: what is tested is that they are counted.
  const saving = ['--save-every-steps', String(SAVE_EVERY_STEPS), '--keep', String(KEEP), '--backoff', '20ms'];
  return lineOf(root, [...saving, ...options], ['--step-ms', String(STEP_MS), '--hurry', hurry]);
}

function lineOf(root: string, options: readonly string[], more: readonly string[]): string[] {
  const command = join(root, 'bin/nkat-recover.js');
  const trainer = join(root, 'fixtures/trainers/counter.mjs');
  return [process.execPath, command, 'run', '--json', ...options, trainer, ...TRAINING, ...more];
}

export function showLine(root: string, session: string): string[] {
  return [process.execPath, join(root, 'bin/nkat-recover.js'), 'show', session, '--json'];
}

let known: Promise<Reference> | null = null;

/** Trained once per process, as fast as it goes; the save at the end of each epoch is waited for. */
export function stormReference(): Promise<Reference> {
  known ??= referenceOf(
    lineOf(ROOT, ['--save-every', 'off'], ['--save-each', String(STEPS_PER_EPOCH)]),
    STEPS_PER_EPOCH,
  );
  return known;
}
