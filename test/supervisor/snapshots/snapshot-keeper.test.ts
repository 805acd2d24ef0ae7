import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { askSmi } from '../../../src/gpu/smi-ask.ts';
import type { SmiCommand } from '../../../src/gpu/smi-command.ts';
import type { SupervisorEvent } from '../../../src/supervisor/events.ts';
import { listSnapshots, MOST_SNAPSHOTS } from '../../../src/supervisor/snapshots/snapshot-files.ts';
import { SnapshotKeeper } from '../../../src/supervisor/snapshots/snapshot-keeper.ts';
import { FakeSmi } from '../../rig/fake-smi.ts';
import { temporaryDirectory } from '../../rig/temporary-directory.ts';
import { waitFor } from '../../rig/wait-for.ts';

const PATIENT_MS = 60_000;

class Scene {
  readonly directory = temporaryDirectory();
  readonly told: SupervisorEvent[] = [];
  readonly keeper: SnapshotKeeper;

  constructor(smi: SmiCommand, outputDirectory = this.directory) {
    this.keeper = new SnapshotKeeper({
      session: 's',
      outputDirectory,
      smi,
      tell: (event) => this.told.push(event),
      now: () => new Date(),
      nowMs: () => performance.now(),
    });
  }

  get kept(): number {
    return this.told.filter(({ name }) => name === 'snapshot-kept').length;
  }

  async newest(): Promise<Record<string, unknown>> {
    const path = (await listSnapshots(this.directory)).at(-1) ?? '';
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  }
}

it.concurrent('keeps what nvidia-smi and the kernel have to say, in a file of its own each time', async () => {
  const fake = await FakeSmi.start({ cards: [{ model: 'rtx3080', processes: [{ pid: 7, name: 'x', mib: 5 }] }] });
  const scene = new Scene(fake.command);
  scene.keeper.keep('crash', 3, 'native-crash: SIGSEGV', []);
  await scene.keeper.close(PATIENT_MS);
  const [path = ''] = await listSnapshots(scene.directory);
  expect(path).toMatch(/0001-crash-attempt-3\.json$/);
  expect(scene.told).toEqual([{ name: 'snapshot-kept', attempt: 3, why: 'crash', path }]);
  const snapshot = await scene.newest();
  expect(snapshot).toMatchObject({ version: 1, session: 's', attempt: 3, why: 'crash', troubles: [] });
  expect(snapshot.inventory).toContain('<gpu_temp_slow_threshold>95 C<');
  expect(snapshot.processes).toMatchObject([{ pid: 7, memoryMib: 5 }]);
  expect(snapshot).toHaveProperty('xids');
});

it.concurrent('writes the readings at once, and gives up an nvidia-smi that is stuck', async () => {
  const fake = await FakeSmi.start({ cards: [{ model: 'rtx3080' }], hang: true });
  const scene = new Scene(fake.command);
  scene.keeper.keep('emergency-save', 1, 'Ctrl-C', []);
  await waitFor('the first file', () => scene.kept === 1);
  expect(await scene.newest()).toEqual(expect.not.objectContaining({ inventory: expect.anything() }));
  await waitFor('both questions', () => fake.living === 2);
  // Another crash meanwhile asks nothing, and loses no reading.
  scene.keeper.keep('crash', 1, null, []);
  await waitFor('the second file', () => scene.kept === 2);
  // A question of our own, after which any other would have come.
  const own = new AbortController();
  const asked = askSmi(fake.command, ['-L'], { timeoutMs: 60_000, maxBytes: 1_000, signal: own.signal });
  await waitFor('our question', () => fake.calls.some(({ args }) => args.includes('-L')));
  own.abort();
  await asked;
  await scene.keeper.close(100);
  expect(fake.calls).toHaveLength(3);
  await waitFor('the end of what was stuck', () => fake.living === 0);
});

it.concurrent('keeps the newest, and no more', async () => {
  const fake = await FakeSmi.start({ cards: [], exit: { code: 9 } });
  const scene = new Scene(fake.command);
  for (let attempt = 1; attempt <= MOST_SNAPSHOTS + 3; attempt += 1) scene.keeper.keep('crash', attempt, null, []);
  await scene.keeper.close(PATIENT_MS);
  const names = readdirSync(join(scene.directory, 'snapshots')).sort();
  expect(names).toHaveLength(MOST_SNAPSHOTS);
  expect([names[0], names.at(-1)]).toEqual(['0004-crash-attempt-4.json', '0013-crash-attempt-13.json']);
});

it.concurrent('says once that nothing can be kept', async () => {
  const fake = await FakeSmi.start({ cards: [], exit: { code: 9 } });
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'out'));
  writeFileSync(join(directory, 'out', 'snapshots'), 'a file in the way');
  const scene = new Scene(fake.command, join(directory, 'out'));
  scene.keeper.keep('crash', 1, null, []);
  scene.keeper.keep('crash', 2, null, []);
  await scene.keeper.close(PATIENT_MS);
  expect(scene.told).toMatchObject([{ name: 'notice', level: 'warning' }]);
});
