/** What the options of a drill ask for; a schedule refuses when it is made what the drill would refuse at night. */
import { type NamedInjection, parseInjections } from '../drill/inject/injections.ts';
import type { DrillLevel } from '../drill/types.ts';
import { NkatError } from '../errors.ts';
import { parseDuration } from '../units.ts';
import type { DrillFlags } from './flags.ts';
import { usageError } from './usage-error.ts';

/** @throws NkatError `usage` where sessions are named beside `--all`: one of the two would be passed over in silence */
export function refuseNamesWithAll(words: readonly string[], { all }: Pick<DrillFlags, 'all'>): void {
  if (all === true && words.length > 0) throw usageError('--all is every session: name none');
}

/** @throws NkatError `usage` */
export function withinOf({ within }: Pick<DrillFlags, 'within'>, level: DrillLevel | null): number | null {
  if (within === undefined) return null;
  const ms = parseDuration(within);
  const problem =
    ms === null || ms <= 0
      ? `--within is ${JSON.stringify(within)}; accepted is a duration such as 30s or 5m`
      : level === 1 || level === 2
        ? `--within is about a whole recovery, and level ${level} does not put anything back`
        : null;
  if (problem === null) return ms;
  throw usageError(problem);
}

/** @throws NkatError `usage`, `preflight` */
export function injectionsOf(
  { inject }: Pick<DrillFlags, 'inject'>,
  level: DrillLevel | null,
): readonly NamedInjection[] {
  if (inject === undefined) return [];
  const injections = parseInjections(inject);
  if (process.platform !== 'linux' && injections.some(({ injection }) => injection.kind === 'memory')) {
    throw new NkatError('memory= needs /proc to see what a trainer holds, which only Linux has', {
      code: 'preflight',
      operation: 'begin the drill',
    });
  }
  if (level === null || level === 3) return injections;
  const message = `--inject launches the trainer on a broken copy, which is level 3, and --level is ${level}`;
  throw usageError(message);
}

/** Null: a replay where two checkpoints allow it, else 3. */
export function levelOf(text: string | undefined): DrillLevel | null {
  if (text === undefined || text === 'replay') return text ?? null;
  return text === '1' ? 1 : text === '2' ? 2 : 3;
}
