import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isGoingDown } from '../../src/power/going-down.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

/** A machine on which these programs say these lines. */
function machine(programs: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const directory = temporaryDirectory();
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(directory, name), 0o755);
  }
  return { PATH: directory };
}

test.each([
  ['systemd stops', { systemctl: 'echo stopping; exit 1' }, true],
  ['systemd runs', { systemctl: 'echo running' }, false],
  ['systemd runs with failed units', { systemctl: 'echo degraded; exit 1' }, false],
  [
    'systemd is there and not in charge, and it halts',
    { systemctl: 'echo offline; exit 1', runlevel: 'echo N 0' },
    true,
  ],
  ['it reboots', { runlevel: 'echo 2 6' }, true],
  ['it runs', { runlevel: 'echo N 2' }, false],
  ['nobody knows the runlevel', { runlevel: 'echo unknown; exit 1' }, false],
  ['there is nobody to ask', {}, false],
])('%s', async (_, programs, expected) => {
  expect(await isGoingDown(machine(programs))).toBe(expected);
});
