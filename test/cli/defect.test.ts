import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordDefect } from '../../src/cli/defect.ts';
import { stateHome } from '../../src/home.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

test('an unexpected error is one line on the screen, its stack goes to a file', () => {
  const home = stateHome({ NKAT_HOME: temporaryDirectory() });
  const said = recordDefect(new TypeError('x is not a function\nsecond line'), home, false);
  const path = join(home.logs, 'internal-errors.log');
  expect(said).toBe(`nkat-recover: internal error: x is not a function. Details are in ${path}\n`);
  expect(readFileSync(path, 'utf8')).toContain('    at ');
  expect(recordDefect(new Error('again'), home, true)).toContain('    at ');
});

test('where no file can be kept, that is said too', () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'file'), '');
  const said = recordDefect(new Error('broken'), stateHome({ NKAT_HOME: join(directory, 'file') }), false);
  expect(said).toContain('broken');
  expect(said).toContain('NKAT_DEBUG=1');
});
