import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { exitCodesMarkdown } from '../../src/cli/exit-codes.ts';

test('the README has the exit codes of the program', () => {
  const text = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
  const table = /<!-- exit-codes -->\n([\s\S]*?)\n<!-- \/exit-codes -->/.exec(text)?.[1];
  expect(table?.trim()).toBe(exitCodesMarkdown());
});
