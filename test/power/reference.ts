/** What the same training comes to when nothing disturbs it: the digest at every step that is saved, and at the end. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Run } from '../rig/run.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Long enough for several cuts in a row, short enough that a case takes seconds. */
const EPOCHS = 10;
const STEPS_PER_EPOCH = 25;
const TRAINING = ['--epochs', EPOCHS, '--steps-per-epoch', STEPS_PER_EPOCH, '--size-mib', 2].map(String);
const STEP_MS = 8;
/** Save after save, so that there is nearly always a commit to be cut. */
const SAVE_EVERY_STEPS = 4;

export interface Reference {
  /** False: the undisturbed run never had this at that step. Null: it was not seen at that step. */
  knows(step: number, digest: string): boolean | null;
  readonly finalDigest: string;
}

/** The command line of one run with the installation in `root`. */
export function commandLine(root: string, options: readonly string[]): string[] {
  // Cut after cut is what is wanted here: nobody waits for the power to settle.
  const saving = ['--power-settle', 'off', '--save-every-steps', String(SAVE_EVERY_STEPS)];
  return lineOf(root, [...saving, ...options], STEP_MS);
}

function lineOf(root: string, options: readonly string[], stepMs: number): string[] {
  const trainer = join(root, 'fixtures/trainers/counter.mjs');
  const command = join(root, 'bin/nkat-recover.js');
  return [process.execPath, command, 'run', '--json', ...options, trainer, ...TRAINING, '--step-ms', String(stepMs)];
}

/** Ours without what the surroundings set for us. */
export function plainEnvironment(home: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(NKAT_|VITEST|NODE_OPTIONS)/.test(name));
  return { ...Object.fromEntries(inherited), NKAT_HOME: home };
}

let known: Promise<Reference> | null = null;

/** Trained once per process. */
export function reference(): Promise<Reference> {
  known ??= train();
  return known;
}

function train(): Promise<Reference> {
  // Slowly, so that each step is saved.
  return referenceOf(lineOf(ROOT, ['--save-every-steps', '1'], 3 * STEP_MS), STEPS_PER_EPOCH);
}

/** Runs a command line with its JSON events to its end, undisturbed. */
export async function referenceOf(line: readonly string[], stepsPerEpoch: number): Promise<Reference> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nkat-reference-')));
  try {
    const [program = '', ...args] = line;
    const run = new Run(args, folder, plainEnvironment(join(folder, 'home')), program);
    await run.ended(0);
    const finalDigest = run.named('session-ended')[0]?.summary.digest;
    if (finalDigest == null) throw new Error(run.describe());
    const digestsAt = new Map<number, Set<string>>();
    for (const { step, digest } of run.named('saved')) {
      digestsAt.set(step, (digestsAt.get(step) ?? new Set()).add(digest));
    }
    return { finalDigest, knows: (step, digest) => judge(digestsAt.get(step), digest, step % stepsPerEpoch === 0) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** At the end of an epoch there are two states of one step: before and after its evaluation. */
function judge(digests: ReadonlySet<string> | undefined, digest: string, endsEpoch: boolean): boolean | null {
  if (digests?.has(digest)) return true;
  const states = endsEpoch ? 2 : 1;
  return digests !== undefined && digests.size >= states ? false : null;
}
