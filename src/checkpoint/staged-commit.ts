/** A commit in its staging directory, from the first byte to the rename and the syncs after it. */
import { join } from 'node:path';
import { errnoOf, NkatError } from '../errors.ts';
import { bounceBuffers } from './bounce-buffers.ts';
import { ChunkedWriter } from './chunked-writer.ts';
import type { Commit, CommitRequest, FinishRequest } from './commit-steps.ts';
import { requireClaim } from './fence.ts';
import type { StoreFiles } from './files.ts';
import { pointLatest } from './latest.ts';
import { checkpointName, STAGING, type StoreLayout } from './layout.ts';
import {
  encodeManifest,
  MANIFEST_FILE,
  MAX_MANIFEST_BYTES,
  readManifest,
  STATE_FILE,
  TENSORS_FILE,
  tensorsDigestOf,
  totalBytes,
} from './manifest.ts';
import { buildManifest } from './manifest-facts.ts';
import type { PlannedFile } from './safetensors-header.ts';
import { nextSequence, usedSequences } from './sequence.ts';
import { removeIfAny, removeTree, writeNewFile } from './small-file.ts';
import { publishStaging } from './staging.ts';
import { storeError } from './store-error.ts';
import { TensorDigests } from './tensor-digests.ts';
import { moveToTrash } from './trash.ts';
import type { CheckpointFacts, Committed, Manifest, ManifestFile, TensorSpec } from './types.ts';

export const OPERATION = 'commit a checkpoint';
/** Two, so that one fills and is hashed while the other is written. */
const BUFFERS = 2;

export class StagedCommit implements Commit {
  readonly #files: StoreFiles;
  readonly #layout: StoreLayout;
  readonly #claim: number;
  readonly #specs: readonly TensorSpec[];
  readonly #planned: PlannedFile;
  readonly #digests: TensorDigests;
  readonly #staging: string;
  readonly #startedAt: number;
  readonly #buffers = bounceBuffers(BUFFERS);
  #writer: ChunkedWriter | null = null;
  /** Bytes of the header that were given to the writer. */
  #headerTaken = 0;
  #sequence: number;
  #tensorsFile: ManifestFile | null = null;
  #state: 'open' | 'busy' | 'ended' = 'open';
  /** Resolves when the call in progress is over, whatever it came to. */
  #idle: Promise<unknown> = Promise.resolve();

  constructor(
    files: StoreFiles,
    { layout, claim, tensors }: CommitRequest,
    planned: PlannedFile,
    made: { readonly path: string; readonly sequence: number },
    startedAt: number,
  ) {
    this.#files = files;
    this.#layout = layout;
    this.#claim = claim;
    this.#specs = tensors;
    this.#planned = planned;
    this.#digests = new TensorDigests(planned.tensors);
    this.#staging = made.path;
    this.#sequence = made.sequence;
    this.#startedAt = startedAt;
  }

  get sequence(): number {
    return this.#sequence;
  }

  start(): Promise<void> {
    return this.#exclusive(async () => {
      const path = join(this.#staging, TENSORS_FILE);
      this.#writer = await ChunkedWriter.create(this.#files, path, this.#buffers, true);
    });
  }

  get headerBytes(): number {
    return this.#planned.header.length;
  }

  append(bytes: Uint8Array): Promise<void> {
    return this.#exclusive(async () => {
      const writer = this.#open(bytes.length);
      await this.#appendHeader(writer);
      this.#digests.push(bytes);
      await writer.append(bytes);
    });
  }

  place(chunk: Uint8Array, length: number, free: () => void): Promise<void> {
    return this.#exclusive(async () => {
      const header = this.#planned.header.subarray(this.#headerTaken, this.#headerTaken + length);
      const writer = this.#open(length - header.length);
      chunk.set(header);
      this.#headerTaken += header.length;
      await writer.place(chunk, length, free);
      // While it is written.
      this.#digests.push(chunk.subarray(header.length, length));
    });
  }

  finish({ state, facts, claim = this.#claim }: FinishRequest): Promise<Committed> {
    return this.#exclusive(async () => {
      if (this.#digests.missingBytes > 0) throw misuse(`${this.#digests.missingBytes} tensor bytes are missing`);
      if (this.#writer !== null) {
        await this.#appendHeader(this.#writer);
        this.#tensorsFile = await this.#writer.finish();
      }
      this.#writer = null;
      if (this.#tensorsFile === null) throw misuse('the tensors were never begun');
      const stateFile = await this.#writeState(state);
      await requireClaim(this.#files, this.#layout, claim);
      const contents = { [TENSORS_FILE]: this.#tensorsFile, [STATE_FILE]: stateFile };
      const committed = await this.#publish(contents, facts, claim);
      this.#state = 'ended';
      await pointLatest(this.#files, this.#layout, committed.path);
      return committed;
    });
  }

  async abort(): Promise<void> {
    await this.#idle;
    if (this.#state !== 'ended') await this.#giveUp();
  }

  #open(more: number): ChunkedWriter {
    if (this.#writer === null) throw misuse('more tensor bytes came after the commit was being finished');
    if (more > this.#digests.missingBytes) throw misuse('more tensor bytes came than the shapes have');
    return this.#writer;
  }

  async #appendHeader(writer: ChunkedWriter): Promise<void> {
    const rest = this.#planned.header.subarray(this.#headerTaken);
    this.#headerTaken += rest.length;
    if (rest.length > 0) await writer.append(rest);
  }

  /** Writes the manifest and renames; takes the next sequence when another commit got there first. */
  async #publish(
    contents: Readonly<Record<string, ManifestFile>>,
    facts: CheckpointFacts,
    claim: number,
  ): Promise<Committed> {
    const { session, directory } = this.#layout;
    for (;;) {
      // The number stays in the order of the states, not of the endings, unless another commit has it by now.
      const used = await usedSequences(this.#files, this.#layout, this.#staging);
      if (used.has(this.#sequence)) this.#sequence = nextSequence(used);
      const manifest = await this.#writeManifest(contents, facts, claim);
      await this.#files.syncDirectory(this.#staging);
      await requireClaim(this.#files, this.#layout, claim);
      const path = join(directory, checkpointName(session, facts.step, this.#sequence));
      if (!(await publishStaging(this.#files, this.#staging, path))) {
        this.#sequence++;
        continue;
      }
      await this.#syncParents(path);
      const writeMs = performance.now() - this.#startedAt;
      return { path, manifest, bytes: totalBytes(manifest), writeMs };
    }
  }

  async #syncParents(path: string): Promise<void> {
    const { directory } = this.#layout;
    try {
      await this.#files.syncDirectory(join(directory, STAGING));
      await this.#files.syncDirectory(directory);
    } catch (error) {
      // Not acknowledged, so it must not be taken for durable: rotation could delete older ones in its favour.
      await moveToTrash(this.#files, directory, path).catch(ignoreSystemError);
      throw error;
    }
  }

  async #writeState(state: string): Promise<ManifestFile> {
    const path = join(this.#staging, STATE_FILE);
    await removeIfAny(this.#files, path);
    const writer = await ChunkedWriter.create(this.#files, path, this.#buffers, false);
    try {
      await writer.append(Buffer.from(state, 'utf8'));
      return await writer.finish();
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }

  async #writeManifest(
    contents: Readonly<Record<string, ManifestFile>>,
    facts: CheckpointFacts,
    claim: number,
  ): Promise<Manifest> {
    const { session } = this.#layout;
    const tensors = this.#digests.finished(this.#specs);
    const unsigned = buildManifest({ session, claim, sequence: this.#sequence, facts, contents, tensors });
    const { text, digest } = encodeManifest({ ...unsigned, tensorsDigest: tensorsDigestOf(tensors) });
    const bytes = Buffer.from(text, 'utf8');
    // What we would refuse to read must never be committed.
    const read = bytes.length > MAX_MANIFEST_BYTES ? { status: 'too large' } : readManifest(bytes);
    if (read.status !== 'ok') throw misuse(`the manifest would be refused: ${JSON.stringify(read)}`);
    const path = join(this.#staging, MANIFEST_FILE);
    await removeIfAny(this.#files, path);
    await writeNewFile(this.#files, path, bytes);
    return { ...unsigned, tensorsDigest: tensorsDigestOf(tensors), digest };
  }

  /** One call at a time. What fails gives the commit up, except for the refusals that the caller can mend. */
  async #exclusive<T>(work: () => Promise<T>): Promise<T> {
    if (this.#state === 'busy') throw misuse('the commit is being worked on');
    if (this.#state === 'ended') throw misuse('the commit has ended');
    this.#state = 'busy';
    const working = work();
    this.#idle = working.then(noop, noop);
    try {
      return await working;
    } catch (error) {
      const known = storeError(error, OPERATION, this.#staging);
      if (known.code !== 'fenced' && known.code !== 'internal') await this.#giveUp();
      throw known;
    } finally {
      if (this.#state === 'busy') this.#state = 'open';
    }
  }

  async #giveUp(): Promise<void> {
    this.#state = 'ended';
    try {
      await this.#writer?.abandon();
      await removeTree(this.#files, this.#staging);
    } catch (error) {
      // The disk that failed may refuse this too. The name says whose it is: a later commit removes it.
      ignoreSystemError(error);
    }
  }
}

function noop(): void {}

function ignoreSystemError(error: unknown): void {
  if (errnoOf(error) === null) throw error;
}

function misuse(message: string): NkatError {
  return new NkatError(`A bug in the caller of the store: ${message}.`, { code: 'internal', operation: OPERATION });
}
