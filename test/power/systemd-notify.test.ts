/** systemd is told through its own program, on a real socket. */
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SystemdNotify } from '../../src/power/systemd-notify.ts';
import { NotifyListener } from '../rig/notify-listener.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

const hasProgram = spawnSync('systemd-notify', ['--version']).status === 0;

let listener: NotifyListener;
beforeEach(async () => {
  listener = new NotifyListener(temporaryDirectory());
  await listener.listening;
});
afterEach(() => listener.close());

function environmentOf(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, NOTIFY_SOCKET: listener.socket, ...extra };
}

function failing(message: string): void {
  throw new Error(message);
}

test.skipIf(!hasProgram)('ready once, then the stop with more time; everything is sent before the end', async () => {
  const systemd = SystemdNotify.take(environmentOf(), failing);
  systemd?.ready();
  systemd?.ready();
  await listener.word('READY=1');
  systemd?.stopping('saving');
  await systemd?.close();
  await listener.word('EXTEND_TIMEOUT_USEC=30000000');
  expect(listener.heard.filter((word) => word === 'READY=1')).toHaveLength(1);
  expect(listener.heard).toContain('STOPPING=1');
  expect(listener.heard).toContain('STATUS=saving');
});

test.skipIf(!hasProgram)(
  'the watchdog hears of us for as long as we live, and only where it was asked for',
  async () => {
    const systemd = SystemdNotify.take(environmentOf({ WATCHDOG_USEC: '200000' }), failing);
    await listener.word('WATCHDOG=1');
    await systemd?.close();
    const silent = SystemdNotify.take(environmentOf({ WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' }), failing);
    const before = listener.heard.length;
    silent?.ready();
    await silent?.close();
    await listener.word('READY=1');
    expect(listener.heard.slice(before).filter((word) => word === 'WATCHDOG=1')).toEqual([]);
  },
);

test('its variables are for one process: no child speaks in its name', () => {
  const environment = environmentOf({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: String(process.pid) });
  SystemdNotify.take(environment, failing);
  expect(environment).toEqual({ PATH: process.env.PATH });
  expect(SystemdNotify.take(environment, failing)).toBeNull();
});

test('where it cannot be told, that is said once', async () => {
  const problems: string[] = [];
  const environment = { ...environmentOf(), PATH: temporaryDirectory() };
  const systemd = SystemdNotify.take(environment, (message) => problems.push(message));
  systemd?.ready();
  await systemd?.close();
  systemd?.stopping('saving');
  await systemd?.close();
  expect(problems).toEqual([expect.stringContaining('systemd-notify')]);
});
