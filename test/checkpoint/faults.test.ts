import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chooseCheckpoint } from '../../src/checkpoint/choose.ts';
import { nodeFiles, type StoreFiles } from '../../src/checkpoint/files.ts';
import type { StoreLayout } from '../../src/checkpoint/layout.ts';
import { settleCommit } from '../../src/checkpoint/settle.ts';
import { NkatError } from '../../src/errors.ts';
import { type OnOperation, systemError, watchedFiles } from './faulty-files.ts';
import { claimed, save, temporaryLayout } from './store.ts';

/** Operations whose failure the acknowledgement does not depend on: the link for people comes after it. */
const AFTER_COMMIT = new Set(['symlink']);

async function chosenStep(layout: StoreLayout): Promise<number | undefined> {
  const { chosen } = await chooseCheckpoint(nodeFiles, { layout, setAside: new Set(), quarantine: false });
  return chosen?.manifest.step;
}

async function countOf(kind: string): Promise<number> {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  await save({ layout, claim, step: 1 });
  const files = watchedFiles(nodeFiles, () => {});
  await save({ layout, claim, step: 2, files });
  return files.log.filter(({ name }) => name === kind).length;
}

/** Fails the n-th operation of a kind, once. */
function failing(
  kind: string,
  which: number,
  errno: string,
): { readonly before: OnOperation; readonly hit: () => boolean } {
  let seen = 0;
  return {
    before: ({ name }) => {
      if (name === kind && seen++ === which) throw systemError(errno);
    },
    hit: () => seen > which,
  };
}

const KINDS = [
  'write',
  'sync',
  'syncDirectory',
  'rename',
  'truncate',
  'open-create',
  'makeDirectory',
  'list',
  'freeBytes',
];

for (const kind of KINDS) {
  const errnos = kind === 'list' ? ['EIO'] : ['EIO', 'ENOSPC'];
  test.each(errnos)(`%s at every single ${kind} of a commit: the one before stays and is chosen`, async (errno) => {
    const count = await countOf(kind);
    expect(count).toBeGreaterThan(0);
    for (let which = 0; which < count; which++) {
      const layout = temporaryLayout();
      const claim = await claimed(layout);
      await save({ layout, claim, step: 1 });
      const fault = failing(kind, which, errno);
      const files = watchedFiles(nodeFiles, fault.before);
      const outcome = await save({ layout, claim, step: 2, files }).catch((error: unknown) => error);
      expect(fault.hit()).toBe(true);
      if (outcome instanceof Error) {
        expect(outcome).toBeInstanceOf(NkatError);
        expect(outcome).toMatchObject({ code: errno === 'EIO' ? 'io' : 'no-space' });
        // What was reported as failed is not there to be taken for durable.
        expect(await chosenStep(layout)).toBe(1);
      } else {
        // Only what lies behind the acknowledgement, or does not bear on it, may fail in silence.
        expect(['rename', 'list']).toContain(kind);
        expect(await chosenStep(layout)).toBe(2);
      }
      expect(readdirSync(join(layout.directory, '.staging'))).toEqual([]);
      // And the next save does not suffer from it.
      await save({ layout, claim, step: 3 });
      expect(await chosenStep(layout)).toBe(3);
    }
  });
}

test('a failed sync is never tried again on the same file', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const fault = failing('sync', 0, 'EIO');
  const files = watchedFiles(nodeFiles, fault.before);
  await expect(save({ layout, claim, step: 1, files })).rejects.toMatchObject({ code: 'io' });
  expect(files.log.filter(({ name }) => name === 'sync')).toHaveLength(1);
  expect(files.log.some(({ name }) => AFTER_COMMIT.has(name))).toBe(false);
});

test('whatever fails while a commit is settled, nothing that was durable is lost', async () => {
  const retention = { keep: 1, maxBytes: null };
  const run = async (files: StoreFiles): Promise<{ layout: StoreLayout; failed: boolean }> => {
    const layout = temporaryLayout();
    const claim = await claimed(layout);
    for (const step of [1, 2, 3]) {
      const committed = await save({ layout, claim, step, facts: { kinds: ['best'] } });
      if (step < 3) await settleCommit(nodeFiles, { layout, committed, retention, resumedFrom: null });
      else {
        const settling = settleCommit(files, { layout, committed, retention, resumedFrom: null });
        const failed = await settling.then(
          () => false,
          (error: unknown) => error instanceof NkatError,
        );
        return { layout, failed };
      }
    }
    throw new Error('unreachable');
  };
  const counting = watchedFiles(nodeFiles, () => {});
  await run(counting);
  const changing = new Set(['write', 'sync', 'syncDirectory', 'rename', 'unlink', 'open-create', 'makeDirectory']);
  const places = counting.log.flatMap(({ name }, number) => (changing.has(name) ? [number] : []));
  for (const which of places.filter((_, index) => index % 5 === 0)) {
    const files = watchedFiles(nodeFiles, (_, number) => {
      if (number === which) throw systemError('EIO');
    });
    const { layout } = await run(files);
    expect(await chosenStep(layout)).toBe(3);
    expect(readdirSync(layout.backups).filter((name) => name.startsWith('best_')).length).toBeGreaterThan(0);
  }
});
