/**
 * Debian's own cron, with the crontab of nobody: in a mount namespace with a spool, a pid file and no jobs of the system, and
 * on a clock that comes to the hour in seconds. The jobs themselves have the machine's clock.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { whyNoMounts } from './loop-mount.ts';
import { wherePossible } from './where-possible.ts';

const LIBRARIES = '/usr/lib';
const FAKETIME = (existsSync(LIBRARIES) ? readdirSync(LIBRARIES) : [])
  .map((name) => join(LIBRARIES, name, 'faketime/libfaketime.so.1'))
  .find((path) => existsSync(path));
/** So many seconds of its clock go by in one of ours; a stall of minutes is made up for by cron itself. */
const SPEED = 30;

/**
 * Words that run a command with a crontab that holds `others`, keep what it left in `tab`, and then become cron.
 *
 * @param at local time from which cron's clock begins: `2026-11-29 02:59:00`
 */
export function withCron(others: string, tab: string, at: string): readonly string[] {
  const script = [
    'set -e',
    'mount -t tmpfs none /var/spool/cron',
    'mkdir -m 1730 /var/spool/cron/crontabs',
    'chgrp crontab /var/spool/cron/crontabs',
    'mount -t tmpfs none "$(readlink -f /var/run)"',
    'mount -t tmpfs none /etc/cron.d',
    'mount --bind /dev/null /etc/crontab',
    'printf %s "$1" | crontab -',
    'tab=$2 at=$3',
    'shift 3',
    '"$@"',
    'crontab -l > "$tab"',
    `exec env LD_PRELOAD=${FAKETIME} FAKETIME="@$at x${SPEED}" cron -f`,
  ].join('\n');
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', others, tab, at];
}

function whyNoCron(): string | null {
  if (!existsSync('/usr/sbin/cron')) return 'cron is not installed';
  if (FAKETIME === undefined) return 'libfaketime is not installed';
  return whyNoMounts();
}

/** Declares a test where cron may be run. Elsewhere it is skipped and says why, or fails where NKAT_REQUIRE_CRON=1. */
export function whereCronRuns(name: string, declare: () => void): void {
  const broken = 'cron must run here, and does not';
  wherePossible(name, { why: whyNoCron(), promise: 'NKAT_REQUIRE_CRON', broken }, declare);
}
