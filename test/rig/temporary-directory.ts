import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atTestEnd } from './test-end.ts';

/** A directory of this test alone; it is removed when the test ends, however it ends. */
export function temporaryDirectory(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'nkat-test-')));
  atTestEnd(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
