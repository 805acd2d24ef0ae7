/** `NKAT_*` variables that nobody reads although they look like a setting: a misspelt one would do nothing in silence. */
import { environmentName, SETTINGS } from './definitions.ts';
import { nearestWord } from './nearest.ts';

/** Variables of ours that are no settings; those of a worker are inherited by a supervisor that a trainer starts. */
const OTHERS: readonly string[] = [
  'NKAT_BACKEND',
  'NKAT_HOME',
  'NKAT_DEBUG',
  'NKAT_CONFIG',
  'NKAT_PROFILE',
  'NKAT_SOCKET',
  'NKAT_TOKEN',
  'NKAT_SESSION',
  'NKAT_ATTEMPT',
  'NKAT_CHECKPOINT_DIR',
  'NKAT_PID_FILE',
  'NKAT_NOTE_FILE',
  'NKAT_CONNECTED',
];

export interface EnvironmentSlip {
  readonly name: string;
  /** What was most likely meant. */
  readonly nearest: string;
}

/** Sorted by name. A variable that is near to nothing of ours may be a trainer's own. */
export function environmentSlips(environment: NodeJS.ProcessEnv): EnvironmentSlip[] {
  const known = [...SETTINGS.map(environmentName), ...OTHERS];
  return Object.keys(environment)
    .filter((name) => /^NKAT_/i.test(name) && environment[name] !== '' && !known.includes(name))
    .sort()
    .flatMap((name) => {
      const nearest = nearestWord(bare(name), known.map(bare));
      return nearest === null ? [] : [{ name, nearest: `NKAT_${nearest}` }];
    });
}

/** Without what all of them share, so that it makes no two of them alike. */
function bare(name: string): string {
  return name.replace(/^NKAT_/i, '');
}
