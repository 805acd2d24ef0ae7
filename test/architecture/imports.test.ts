/** The import rules hold, and each of them fails when it is broken. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

interface Violation {
  readonly rule: { readonly name: string };
  readonly from: string;
}

async function violations(directory: string): Promise<Violation[]> {
  const cruiser = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [cruiser, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src', 'trainers'];
  const options = { cwd: directory, maxBuffer: 64 * 1024 * 1024 };
  // It exits with the number of errors; the report is on stdout either way.
  const { stdout } = await run(process.execPath, args, options).catch((error: { stdout: string }) => error);
  return (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
}

test('the project keeps its import rules', async () => {
  expect((await violations(ROOT)).map(({ rule, from }) => `${rule.name}: ${from}`)).toEqual([]);
});

/** File that breaks a rule, what it imports, the rule. */
const BROKEN: readonly (readonly [string, string, string])[] = [
  ['src/checkpoint/a.ts', '../sessions/b.ts', 'checkpoint-stands-alone'],
  ['src/sessions/a.ts', '../protocol/b.ts', 'sessions-stands-alone'],
  ['src/protocol/a.ts', '../checkpoint/b.ts', 'protocol-stands-alone'],
  ['src/gpu/a.ts', '../sessions/b.ts', 'gpu-stands-alone'],
  ['src/power/a.ts', '../supervisor/b.ts', 'power-stands-alone'],
  ['src/worker/a.ts', '../supervisor/b.ts', 'worker-stays-small'],
  ['src/worker/c.ts', 'pino', 'worker-without-heavy-libraries'],
  ['src/supervisor/a.ts', '../cli/b.ts', 'supervisor-below-cli'],
  ['src/config/a.ts', '../sessions/b.ts', 'config-knows-no-room'],
  ['src/drill/a.ts', '../cli/b.ts', 'drill-below-cli'],
  ['src/supervisor/c.ts', 'ora', 'terminal-libraries-only-in-cli'],
  ['src/errors.ts', './protocol/b.ts', 'leaves-import-nothing-of-ours'],
  ['trainers/x/train.ts', '../../src/supervisor/b.ts', 'trainers-use-the-public-sdk'],
  ['src/cli/x.ts', './y.ts', 'no-circular'],
  ['src/cli/z.ts', './nowhere.ts', 'not-to-unresolvable'],
];

let broken: string;
let found: Violation[];

beforeAll(async () => {
  broken = await mkdtemp(join(tmpdir(), 'nkat-imports-'));
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(broken, path)), { recursive: true });
    await writeFile(join(broken, path), text);
  };
  for (const room of ['checkpoint', 'sessions', 'protocol', 'supervisor', 'cli']) {
    await write(`src/${room}/b.ts`, 'export const b = 1;\n');
  }
  await write('src/cli/y.ts', "import { x } from './x.ts';\nexport const y = x;\n");
  for (const [path, target] of BROKEN) {
    const name = path === 'src/cli/x.ts' ? 'y' : 'b';
    await write(path, `import { ${name} } from '${target}';\nexport const x = ${name};\n`);
  }
  await copyFile(join(ROOT, '.dependency-cruiser.cjs'), join(broken, '.dependency-cruiser.cjs'));
  await copyFile(join(ROOT, 'tsconfig.json'), join(broken, 'tsconfig.json'));
  await write('package.json', '{ "type": "module" }\n');
  await symlink(join(ROOT, 'node_modules'), join(broken, 'node_modules'));
  found = await violations(broken);
});

afterAll(() => rm(broken, { recursive: true, force: true }));

test.each(BROKEN)('%s importing %s breaks %s', (path, _target, rule) => {
  expect(found.some((violation) => violation.from === path && violation.rule.name === rule)).toBe(true);
});
