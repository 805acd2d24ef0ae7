/** Whether anybody runs what stands in a crontab: in containers `crontab` is often there, and cron is not. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';

/** Vixie's, cronie's and busybox's, fcron. */
const DAEMONS: ReadonlySet<string> = new Set(['cron', 'crond', 'fcron']);

/** Null: only Linux tells. @param table the process table */
export function cronIsRunning(table = '/proc', platform = process.platform): boolean | null {
  if (platform !== 'linux') return null;
  return readdirSync(table).some((name) => /^\d+$/.test(name) && DAEMONS.has(commandOf(join(table, name))));
}

function commandOf(folder: string): string {
  try {
    return readFileSync(join(folder, 'comm'), 'utf8').trim();
  } catch (error) {
    // It ended while we looked.
    if (errnoOf(error) === null) throw error;
    return '';
  }
}
