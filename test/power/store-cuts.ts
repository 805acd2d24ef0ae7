/**
 * Cuts in the middle of a store that is used from this process: before each operation that changes something the power
 * can go, and does where it is wanted. No process has to start, so that many cuts are cheap.
 */
import { chooseCheckpoint } from '../../src/checkpoint/choose.ts';
import { nodeFiles, type StoreFiles } from '../../src/checkpoint/files.ts';
import { type StoreLayout, storeLayout } from '../../src/checkpoint/layout.ts';
import { settleCommit } from '../../src/checkpoint/settle.ts';
import { CHANGING, systemError, watchedFiles } from '../checkpoint/faulty-files.ts';
import { claimed, SESSION, save } from '../checkpoint/store.ts';
import { chanceOf } from '../rig/seeded.ts';
import type { Violation } from '../torture/scenario.ts';
import { Acknowledged } from './acknowledged.ts';
import { type BrokenProtocol, KEEP } from './broken-protocols.ts';
import { lookAtDisk } from './look-at-disk.ts';
import type { Machine } from './machine.ts';

export interface StoreCutsRequest {
  readonly machine: Machine;
  /** Null: the store as it is. */
  readonly broken: BrokenProtocol | null;
  readonly cuts: number;
  readonly seed: number;
}

export interface StoreCutsReport {
  readonly violations: readonly Violation[];
  /** Up to the first violation. */
  readonly cuts: number;
  /** Of these, that fell before the acknowledgement of a commit that was begun. */
  readonly insideACommit: number;
}

const COMMITS_PER_BOOT = 2;
const RETENTION = { keep: KEEP, maxBytes: null };

/** Where the power goes: before a change of a boot or right at one of its acknowledgements, each counted from 0. */
interface StoreCut {
  readonly at: 'change' | 'acknowledgement';
  /** A boot that has fewer loses its power when it is idle. */
  readonly number: number;
  readonly flush: boolean;
}

/** What leaves the machine is what must hold: one in so many cuts is made at the very moment. */
const ACKNOWLEDGEMENT_EVERY = 4;

/** Stops at the first violation: what follows on a store that lost something says nothing. */
export async function cutStore({ machine, broken, cuts, seed }: StoreCutsRequest): Promise<StoreCutsReport> {
  const root = machine.seen(`${machine.disk}/${(broken?.name ?? 'as it is').replaceAll(' ', '-')}`);
  const store = new CutStore(storeLayout(`${root}/checkpoints`, `${root}/backups`, SESSION), machine, broken);
  // Two undisturbed boots: the changes of the second one, with a rotation, are what can be cut.
  await store.boot(null);
  const changes = await store.boot(null);
  const planned = plan(cuts, changes, seed);
  for (const [index, cut] of planned.entries()) {
    await store.boot(cut);
    const violations = await store.look();
    if (violations.length > 0) return { violations, cuts: index + 1, insideACommit: store.insideACommit };
  }
  return { violations: [], cuts, insideACommit: store.insideACommit };
}

/** Spread over all changes, one in each part, and over the acknowledgements; in an order by chance. */
function plan(cuts: number, changes: number, seed: number): StoreCut[] {
  const chance = chanceOf(seed);
  const planned = Array.from({ length: cuts }, (_, index) => {
    const flush = chance.next() < 0.35;
    const order = chance.next();
    if (index % ACKNOWLEDGEMENT_EVERY === 0) {
      return { at: 'acknowledgement' as const, number: chance.between(0, COMMITS_PER_BOOT - 1), flush, order };
    }
    const number = Math.floor(((index + chance.next()) * (changes + 1)) / cuts);
    return { at: 'change' as const, number, flush, order };
  });
  return planned.sort((a, b) => a.order - b.order);
}

class CutStore {
  insideACommit = 0;
  readonly #layout: StoreLayout;
  readonly #machine: Machine;
  readonly #broken: BrokenProtocol | null;
  readonly #acknowledged = new Acknowledged();
  #step = 0;
  #isCommitting = false;

  constructor(layout: StoreLayout, machine: Machine, broken: BrokenProtocol | null) {
    this.#layout = layout;
    this.#machine = machine;
    this.#broken = broken;
  }

  /** Claims, commits, settles; null: undisturbed. Resolves with the changes that were made, the disk mounted again. */
  async boot(cut: StoreCut | null): Promise<number> {
    const passed = { change: 0, acknowledgement: 0 };
    let isOff = false;
    const pass = async (at: StoreCut['at']): Promise<void> => {
      if (cut === null || isOff || at !== cut.at || passed[at]++ !== cut.number) return;
      isOff = true;
      await this.#machine.turnOff(cut.flush);
    };
    const real = watchedFiles(nodeFiles, async ({ name }) => {
      if (CHANGING.has(name)) await pass('change');
      if (isOff) throw systemError('EIO');
    });
    const files = this.#broken?.files(real, this.#layout) ?? real;
    await this.#work(files, () => pass('acknowledgement')).catch((error: unknown) => {
      if (!isOff) throw error;
    });
    if (cut !== null && this.#isCommitting) this.insideACommit++;
    if (cut !== null && !isOff) await this.#machine.turnOff(cut.flush);
    await this.#machine.halt();
    this.#machine.mount();
    return real.log.filter(({ name }) => CHANGING.has(name)).length;
  }

  async look(): Promise<Violation[]> {
    const { violations } = await lookAtDisk({
      directory: this.#layout.directory,
      session: this.#layout.session,
      acknowledged: this.#acknowledged,
      keep: KEEP,
      knows: () => null,
    });
    const request = { layout: this.#layout, setAside: new Set<number>(), quarantine: false };
    const { chosen } = await chooseCheckpoint(nodeFiles, request);
    const newest = this.#acknowledged.newest?.sequence ?? 0;
    if ((chosen?.manifest.sequence ?? 0) >= newest) return [...violations];
    const detail = `${chosen?.manifest.sequence ?? 'nothing'} would be resumed from; ${newest} was reported durable`;
    return [...violations, { invariant: 'resumes-from-newest', detail }];
  }

  async #work(files: StoreFiles, onAcknowledged: () => Promise<void>): Promise<void> {
    const layout = this.#layout;
    this.#isCommitting = false;
    const claim = await claimed(layout, files);
    for (let commit = 0; commit < COMMITS_PER_BOOT; commit++) {
      this.#isCommitting = true;
      const step = ++this.#step;
      const committed = await save({ layout, claim, step, files });
      const { sequence, tensorsDigest, kinds } = committed.manifest;
      this.#acknowledged.add({ sequence, step, digest: tensorsDigest, kinds });
      this.#isCommitting = false;
      await onAcknowledged();
      await settleCommit(files, { layout, committed, retention: RETENTION, resumedFrom: null });
    }
  }
}
