/** The number of bad inputs that README and docs tell of is what the suites make. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DRAWN = /\bfuzzing\(([\d_]+)\)/g;

/** Cases of each file, where they are drawn: a property that fails stops its test, so that one that passed made them all. */
function cases(): Map<string, number> {
  const found = new Map<string, number>();
  for (const path of readdirSync(`${ROOT}/test`, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.test.ts')) continue;
    const counts = [...readFileSync(`${ROOT}/test/${path}`, 'utf8').matchAll(DRAWN)].map(([, digits]) =>
      Number(digits?.replaceAll('_', '')),
    );
    if (counts.length > 0)
      found.set(
        path,
        counts.reduce((sum, each) => sum + each),
      );
  }
  return found;
}

test('what is told of is what is made', () => {
  const all = cases();
  const sum = [...all.values()].reduce((total, each) => total + each);
  const words = sum.toLocaleString('en');
  console.info([...all, ['all', sum] as const].map(([path, each]) => `${path}: ${each}`).join('\n'));
  expect(readFileSync(`${ROOT}/README.md`, 'utf8')).toContain(`${words} bad inputs`);
  expect(readFileSync(`${ROOT}/docs/durability.md`, 'utf8')).toContain(`makes ${words} of them`);
});
