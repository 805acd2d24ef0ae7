/** Drills of sessions that a real trainer has trained. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { DrillReport, SessionDrill } from '../../src/drill/types.ts';
import { COMMAND, type World } from './rig.ts';

export const FIXTURES = fileURLToPath(new URL('../../fixtures/trainers', import.meta.url));

export function moody(args: readonly string[] = []): string[] {
  return [join(FIXTURES, 'moody.mjs'), ...args];
}

export interface Drilled {
  readonly code: number | null;
  readonly session: SessionDrill;
}

export async function drill(
  world: World,
  args: readonly string[] = [],
  environment: NodeJS.ProcessEnv = {},
): Promise<Drilled> {
  const run = world.start(['drill', '--json', ...args], COMMAND, environment);
  const { code } = await run.end();
  const { sessions } = JSON.parse(run.stdout) as DrillReport;
  const [session] = sessions;
  if (session === undefined) throw new Error(`no session was drilled: ${run.stderr}`);
  return { code, session };
}

/** Each of these saves is made, however slow the disk is. */
export const EVERY_SEVENTH: readonly string[] = ['--save-every-steps', '7', '--async-save', 'off'];

/** A session that its trainer left at step 15 of 20, with checkpoints before that. */
export async function trained(
  world: World,
  environment: NodeJS.ProcessEnv = {},
  args: readonly string[] = [],
): Promise<void> {
  const trainer = moody(['--exit-at', '15', ...args]);
  const run = world.start(['run', '--json', ...EVERY_SEVENTH, ...trainer], COMMAND, environment);
  await run.ended(93);
}

export function sessionFolder(world: World): string {
  const root = join(world.home, 'checkpoints');
  return join(root, readdirSync(root).find((name) => /^\d{8}_/.test(name)) ?? 'none');
}

/** What a rehearsed trainer found in its environment. */
export interface Found {
  readonly cards: string | null;
  readonly order: string | null;
  readonly conda: string | null;
  readonly temporary: string;
  readonly priority: number;
}

/** One a launch. @param path what NKAT_TEST_FOUND named */
export function foundIn(path: string): readonly Found[] {
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Found);
}

/** What a drill may leave: its lock, given back. */
export function expectNothingLeft(world: World, isDrilled = true): void {
  expect(readdirSync(world.home).includes('drills')).toBe(isDrilled);
  if (isDrilled) expect(readdirSync(join(world.home, 'drills'))).toEqual(['owners']);
  const pins = join(sessionFolder(world), '.pins');
  expect(existsSync(pins) ? readdirSync(pins) : []).toEqual([]);
}
