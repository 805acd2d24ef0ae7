/**
 * The storms proved: with any one guarantee of the product taken away they find a broken promise, by its name, within the
 * kills that CI runs. With NKAT_STORM_PROOF=all it does so. Prints the table that stands in docs/durability.md.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { describeFindings } from '../torture/run-cases.ts';
import { BROKEN_PRODUCTS, changedFiles, installBroken } from './broken-products.ts';
import { runStormCase } from './storm-case.ts';
import { testWithStorms } from './test-with-storms.ts';

/** A third of those in storms.test.ts: its storms of this kind. */
const KILLS = 50;
const SEED = 7;

const rows: string[] = [];

/** Minutes of storms: proved when asked for. What is held each time is that there is something to prove. */
const proved = process.env.NKAT_STORM_PROOF === 'all' ? BROKEN_PRODUCTS : [];

for (const broken of proved) {
  testWithStorms(`a storm finds it: ${broken.name}`, async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nkat-broken-')));
    try {
      const installation = installBroken(join(folder, 'installation'), broken);
      const { violations, counts, story } = await runStormCase({
        kind: 'plain',
        kills: KILLS,
        seed: SEED,
        installation,
      });
      const found = violations.find(({ invariant }) => invariant === broken.breaks);
      rows.push(`| ${broken.name} | ${counts.kills} kills | \`${found?.invariant}\`: ${found?.detail.slice(0, 240)} |`);
      const words = describeFindings(violations.map((violation) => ({ ...violation, id: broken.name, story })));
      expect(found, words).toBeDefined();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

test('each broken product differs from this one in lines that are there', () => {
  for (const { name, changes } of BROKEN_PRODUCTS) expect(changedFiles(changes).size, name).toBeGreaterThan(0);
});

afterAll(() => {
  if (rows.length > 0) console.log(rows.join('\n'));
});
