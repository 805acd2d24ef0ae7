/** `npm run bench`: measures what the project promises about speed, each against a reference on the same machine. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { machineFacts } from './machine.ts';
import { type Measure, type Summary, summarise } from './measure.ts';
import { emergency } from './measures/emergency.ts';
import { history } from './measures/history.ts';
import { idle } from './measures/idle.ts';
import { list } from './measures/list.ts';
import { periodicSave } from './measures/periodic-save.ts';
import { recovery } from './measures/recovery.ts';
import { supervisedSpeed } from './measures/supervised-speed.ts';
import { trainingSpeed } from './measures/training-speed.ts';
import { verification } from './measures/verification.ts';
import { watch } from './measures/watch.ts';
import { renderTable } from './table.ts';

const MEASURES: readonly Measure[] = [
  recovery,
  supervisedSpeed,
  periodicSave,
  trainingSpeed,
  emergency,
  verification,
  list,
  history,
  idle,
  watch,
];

const root = fileURLToPath(new URL('..', import.meta.url));
const OPTIONS = {
  help: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true, default: [] },
  json: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  dir: { type: 'string', default: join(root, 'node_modules/.cache/bench') },
} satisfies ParseArgsConfig['options'];

const USAGE = `npm run bench -- [options]
  --only MEASURE   one of ${MEASURES.map(({ name }) => name).join(', ')}; may be repeated
  --quick          small sizes: shows that each measure works, its numbers mean nothing
  --json           for machines
  --dir DIRECTORY  on the disk to measure
`;

function refuse(reason: string): never {
  process.stderr.write(`${reason}\n${USAGE}`);
  process.exit(64);
}

const { values: flags } = readFlags();

function readFlags() {
  try {
    return parseArgs({ options: OPTIONS });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}
if (flags.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const unknown = flags.only.filter((name) => !MEASURES.some((measure) => measure.name === name));
if (unknown.length > 0) refuse(`no measure is called ${unknown.join(', ')}`);

// What runs is ended by the handlers of `exit`.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
mkdirSync(flags.dir, { recursive: true });
const rows: Summary[] = [];
for (const measure of MEASURES) {
  if (flags.only.length > 0 && !flags.only.includes(measure.name)) continue;
  if (!flags.json) process.stderr.write(`${measure.name}...\n`);
  const folder = mkdtempSync(join(flags.dir, `${measure.name}-`));
  try {
    const measured = (await measure.run({ quick: flags.quick, folder, root })).map(summarise);
    rows.push(...measured);
    // As soon as they are there: a run of all measures takes minutes.
    if (!flags.json) for (const { name, ratio } of measured) process.stderr.write(`  ${name}: ${ratio.toFixed(3)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
const machine = machineFacts(flags.dir);
process.stdout.write(
  flags.json ? `${JSON.stringify({ version: 1, quick: flags.quick, machine, rows })}\n` : renderTable(machine, rows),
);
