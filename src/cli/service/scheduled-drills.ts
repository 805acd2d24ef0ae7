/** The drills that stand in the crontab of this user, of every state home. */
import { entryNames, findEntry, readCrontab } from '../../power/crontab.ts';
import { DRILL_ENTRY } from '../../power/drill-schedule.ts';

export interface ScheduledDrill {
  /** State home whose sessions are drilled. */
  readonly home: string;
  readonly isOwn: boolean;
  /** Its times: five fields, or a word such as `@daily`. */
  readonly cron: string;
  /** The whole line. */
  readonly entry: string;
}

/** @throws NkatError `preflight` where there is no cron, or it is not allowed */
export async function scheduledDrills(ownHome: string, environment: NodeJS.ProcessEnv): Promise<ScheduledDrill[]> {
  const crontab = await readCrontab(environment);
  return entryNames(crontab, DRILL_ENTRY).flatMap((name) => {
    const entry = findEntry(crontab, name);
    if (entry === null) return [];
    const home = name.slice(DRILL_ENTRY.length);
    return [{ home, isOwn: home === ownHome, cron: timesOf(entry), entry }];
  });
}

function timesOf(entry: string): string {
  return (/^\s*(@\w+|\S+(?:\s+\S+){4})\s/.exec(entry)?.[1] ?? '').replaceAll(/\s+/g, ' ');
}
