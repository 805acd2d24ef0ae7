/** Whether this machine starts `recover` when it comes up, as far as its service manager can tell. */
import { cronIsRunning } from '../../power/cron-daemon.ts';
import { findEntry, readCrontab } from '../../power/crontab.ts';
import { installSteps, SERVICE_NAME, type ServicePlace } from '../../power/service-plan.ts';
import { runProgram } from '../../run-program.ts';
import { readIfAny } from './carry-out.ts';

/** For a question to whoever starts services. */
const ANSWER_MS = 30_000;

export interface FoundService {
  /** `other`: another installation or another state home, or an older text. */
  readonly installed: 'yes' | 'no' | 'other';
  /** What the manager says of it; null: nothing to ask. */
  readonly enabled: string | null;
  readonly where: string;
  /** Whether a cron runs that would start it; null: nobody needs one, or nobody can tell. */
  readonly cronRuns: boolean | null;
}

/** What installing would leave is what is looked for. @param cronRuns whether a cron runs now */
export async function lookAtService(
  place: ServicePlace,
  environment: NodeJS.ProcessEnv,
  cronRuns = cronIsRunning,
): Promise<FoundService> {
  const [wanted] = installSteps(place);
  switch (wanted?.kind) {
    case 'cron-entry': {
      const entry = findEntry(await readCrontab(environment), SERVICE_NAME);
      return { installed: compare(entry, wanted.entry), enabled: null, where: 'crontab', cronRuns: cronRuns() };
    }
    case 'write': {
      const scope = place.manager === 'systemd-user' ? ['--user'] : [];
      const { stdout } = await runProgram(['systemctl', ...scope, 'is-enabled', SERVICE_NAME], environment, ANSWER_MS);
      const installed = compare(readIfAny(wanted.path), wanted.text);
      return { installed, enabled: stdout || 'unknown', where: wanted.path, cronRuns: null };
    }
    default: {
      const { failure } = await runProgram(['schtasks', '/Query', '/TN', SERVICE_NAME], environment, ANSWER_MS);
      return { installed: failure === null ? 'yes' : 'no', enabled: null, where: SERVICE_NAME, cronRuns: null };
    }
  }
}

function compare(present: string | null, wanted: string | null): FoundService['installed'] {
  if (present === null) return 'no';
  return present === wanted ? 'yes' : 'other';
}
