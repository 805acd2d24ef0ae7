/** A broken backend for NVIDIA's cards gives way to an intact one for the CPU, with a word about it, and not where a GPU is required. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { BackendRecord } from '../../src/installed-backend.ts';
import { whereNative } from '../rig/native-backend.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

const SDK = fileURLToPath(new URL('../../dist/worker/tfjs/index.js', import.meta.url));
const NAME = 'cuda12-2.21.0-it';

whereNative('beside a broken backend for cards', (intact) => {
  /** Runs a trainer that asks for a backend and says which it got. */
  function trained(cuda12: Partial<BackendRecord> | 'unreadable', options: object = {}) {
    const home = temporaryDirectory();
    const folder = join(home, 'backends', NAME);
    mkdirSync(folder, { recursive: true });
    symlinkSync(intact.folder, join(home, 'backends', basename(intact.folder)));
    const record = { ...intact.record, flavour: 'cuda12', files: {}, sizes: {}, ...Object(cuda12) };
    writeFileSync(join(folder, 'backend.json'), cuda12 === 'unreadable' ? '{' : JSON.stringify(record));
    // It registers itself, and breaks only then.
    writeFileSync(join(folder, 'breaks.js'), BREAKS);
    const trainer = join(home, 'trainer.mjs');
    writeFileSync(
      trainer,
      `import { useBackend } from ${JSON.stringify(SDK)};
      const { name, device, passedOver } = await useBackend(${JSON.stringify(options)});
      console.log(JSON.stringify({ name, device, passedOver: passedOver.map(({ reason }) => reason) }));\n`,
    );
    const { NKAT_BACKEND: _, ...environment } = process.env;
    const env = { ...environment, NKAT_HOME: home };
    const { status, stdout, stderr } = spawnSync(process.execPath, [trainer], { encoding: 'utf8', env });
    return { status, stdout, stderr, folder };
  }

  test.each([
    [
      'is cut short',
      { sizes: { 'deps/lib/libx.so': 8 } },
      (folder: string) => `cuda12: deps/lib/libx.so in ${folder} is not whole`,
    ],
    ['does not load', { entry: 'breaks.js' }, () => 'cuda12: it did not load: no card today'],
    ['has a damaged record', 'unreadable', (folder: string) => `its backend.json in ${folder} cannot be read`],
  ] as const)('one that %s gives way', (_, cuda12, reason) => {
    const { status, stdout, stderr, folder } = trained(cuda12);
    expect(status, stderr).toBe(0);
    const why = reason(folder);
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({
      name: 'tfjs-node',
      device: 'cpu',
      passedOver: [why],
    });
    expect(stderr).toContain(
      `Backend: tfjs-node on the CPU, for the installed one for cpu took the place of a better one: ${why}. nkat-recover backend check says more.`,
    );
  });

  test('where a GPU is required the one for the CPU is not asked', () => {
    const { status, stderr } = trained({ entry: 'breaks.js' }, { requireGpu: true });
    expect(status).toBe(78);
    expect(stderr).toContain('native: cuda12: it did not load: no card today');
    expect(stderr).not.toContain('(cpu)');
  });
});

const BREAKS = `
const { tfjs } = globalThis[Symbol.for('nkat-recover.native-backend')];
tfjs.registerBackend('tensorflow', () => { throw new Error('the broken one was started'); });
throw new Error('no card today');
`;
