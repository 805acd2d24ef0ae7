/** The text of `manifest.json`: how it is written, and how text of unknown origin is read. */
import {
  boolean,
  Invalid,
  integer,
  list,
  literal,
  nullable,
  number,
  oneOf,
  optional,
  read,
  record,
  stored,
  string,
} from '../schema.ts';
import { CHUNK_BYTES, digestOf } from './digest.ts';
import { bytesOf, LENGTH_BYTES, layoutProblem } from './safetensors-header.ts';
import { DTYPE_BITS, type Manifest, type ManifestTensor } from './types.ts';

export const MANIFEST_FILE = 'manifest.json';
export const TENSORS_FILE = 'tensors.safetensors';
export const STATE_FILE = 'state.json';
/** Marker beside the manifest, not covered by it: this checkpoint was read back whole once. */
export const VERIFIED_FILE = 'verified.json';
export const FORMAT_VERSION = 1;
export const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;

/** The length field and `{}`. */
const SHORTEST_HEADER_BYTES = LENGTH_BYTES + 2;

const ZEROS = '0'.repeat(32);
/** The digest is the last field of the text, so that its place is known without parsing. */
const TAIL = /"digest":"([0-9a-f]{32})"\n\}\n$/;
const TAIL_LENGTH = `"digest":"${ZEROS}"\n}\n`.length;

const UNLIMITED = Number.POSITIVE_INFINITY;
const text = string(UNLIMITED);
const digest = string(32, /^[0-9a-f]{32}$/);
const count = integer(0);
const DTYPES = Object.keys(DTYPE_BITS) as (keyof typeof DTYPE_BITS)[];

const headSchema = stored({ format: literal('nkat-checkpoint'), version: count });
/** The whole file is bounded by {@link MAX_MANIFEST_BYTES}, so its parts are not. */
const schema = stored({
  format: literal('nkat-checkpoint'),
  version: literal(FORMAT_VERSION),
  session: text,
  attempt: count,
  claim: count,
  sequence: count,
  step: count,
  epoch: count,
  kinds: list(text, 0, UNLIMITED),
  reason: nullable(text),
  parent: nullable(count),
  createdAt: text,
  host: text,
  gpu: nullable(text),
  driver: nullable(text),
  backend: nullable(text),
  versions: record(text, UNLIMITED),
  trainer: nullable(stored({ path: text, args: list(text, 0, UNLIMITED), sourceDigest: nullable(text) })),
  metrics: record(number(), UNLIMITED),
  memory: stored({ systemTotalBytes: count, systemFreeBytes: count, processRssBytes: count }),
  files: record(
    stored({ bytes: count, chunks: list(digest, 0, UNLIMITED) }),
    128,
    /^(?!manifest\.json$|verified\.json$)[A-Za-z0-9][A-Za-z0-9._-]*$/,
  ),
  tensors: list(
    stored({
      name: text,
      dtype: oneOf(DTYPES),
      shape: list(count, 0, UNLIMITED),
      offset: count,
      bytes: count,
      digest,
      mayBeNonFinite: optional(boolean()),
    }),
    0,
    UNLIMITED,
  ),
  tensorsDigest: digest,
  digest,
});

export type ReadManifest =
  | { readonly status: 'ok'; readonly manifest: Manifest }
  | { readonly status: 'newer'; readonly version: number }
  | { readonly status: 'damaged'; readonly reason: string };

/** One line a field and one line a tensor, for people; ends with the digest of the text itself. */
export function encodeManifest(manifest: Omit<Manifest, 'digest'>): { readonly text: string; readonly digest: string } {
  const { tensors, ...rest } = manifest;
  const lines = Object.entries(rest).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  lines.push(`"tensors":[\n${tensors.map((tensor) => `  ${JSON.stringify(tensor)}`).join(',\n')}\n]`);
  const body = `{\n${lines.join(',\n')},\n`;
  const own = digestOf(Buffer.from(`${body}"digest":"${ZEROS}"\n}\n`));
  return { text: `${body}"digest":"${own}"\n}\n`, digest: own };
}

/** Reads the bytes of a manifest file; every flipped byte of it is found. */
export function readManifest(bytes: Uint8Array): ReadManifest {
  if (bytes.length === 0) return damaged('the manifest is empty');
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return damaged(
      `the manifest is not JSON (${error instanceof Error ? error.message.slice(0, 200) : String(error)})`,
    );
  }
  const intact = hasOwnDigest(bytes);
  const version = versionOf(value);
  if (version === null) return damaged('the manifest is not one of a checkpoint');
  // A later version may reckon its digest in another way; but a 1 in which a bit flipped is damage.
  if (version > FORMAT_VERSION) {
    return isOursWithFlippedVersion(bytes, version)
      ? damaged('the manifest does not match its own digest')
      : { status: 'newer', version };
  }
  if (!intact) return damaged('the manifest does not match its own digest');
  const manifest = read(schema, value);
  if (manifest instanceof Invalid) return damaged(`the manifest is not valid: ${manifest.detail.slice(0, 500)}`);
  const problem = contradictionIn(manifest);
  return problem === null ? { status: 'ok', manifest } : damaged(problem);
}

/** Digest of all tensors in name order: the same for the same values, whenever and wherever they were saved. */
export function tensorsDigestOf(
  tensors: readonly Pick<ManifestTensor, 'name' | 'dtype' | 'shape' | 'digest'>[],
): string {
  const lines = [...tensors]
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ name, dtype, shape, digest: own }) => `${JSON.stringify([name, dtype, shape, own])}\n`);
  return digestOf(Buffer.from(lines.join('')));
}

/** Bytes that the tensors take in their file: it ends with them. */
export function dataBytes(manifest: Pick<Manifest, 'tensors'>): number {
  return manifest.tensors.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Bytes of all files that the manifest names. */
export function totalBytes(manifest: Pick<Manifest, 'files'>): number {
  return Object.values(manifest.files).reduce((sum, { bytes }) => sum + bytes, 0);
}

function versionOf(value: unknown): number | null {
  const head = read(headSchema, value);
  return head instanceof Invalid ? null : head.version;
}

function hasOwnDigest(bytes: Uint8Array): boolean {
  const tail = Buffer.from(bytes.subarray(Math.max(0, bytes.length - TAIL_LENGTH))).toString('latin1');
  const written = TAIL.exec(tail)?.[1];
  if (written === undefined) return false;
  const zeroed = Buffer.from(bytes);
  zeroed.write(ZEROS, bytes.length - TAIL_LENGTH + '"digest":"'.length, 'latin1');
  return digestOf(zeroed) === written;
}

function isOursWithFlippedVersion(bytes: Uint8Array, version: number): boolean {
  const text = Buffer.from(bytes).toString('utf8');
  const restored = text.replace(`"version":${version}`, `"version":${FORMAT_VERSION}`);
  return hasOwnDigest(Buffer.from(restored));
}

/** What in a manifest contradicts itself although it is intact: then someone made it so. */
function contradictionIn(manifest: Manifest): string | null {
  const tensorsFile = manifest.files[TENSORS_FILE];
  if (tensorsFile === undefined || manifest.files[STATE_FILE] === undefined) {
    return `the manifest does not name both ${TENSORS_FILE} and ${STATE_FILE}`;
  }
  for (const [name, { bytes, chunks }] of Object.entries(manifest.files)) {
    if (chunks.length !== Math.ceil(bytes / CHUNK_BYTES))
      return `the manifest has too few or too many chunks of ${name}`;
  }
  const { tensors } = manifest;
  if (new Set(tensors.map(({ name }) => name)).size !== tensors.length) return 'the manifest names a tensor twice';
  const wrong = tensors.find(({ dtype, shape, bytes }) => bytesOf(dtype, shape) !== bytes);
  if (wrong !== undefined) return `the manifest gives tensor "${wrong.name}" a size that its shape does not have`;
  const bytes = dataBytes(manifest);
  if (bytes > tensorsFile.bytes - SHORTEST_HEADER_BYTES)
    return `the manifest's tensors are larger than ${TENSORS_FILE}`;
  return layoutProblem(tensors, bytes);
}

function damaged(reason: string): ReadManifest {
  return { status: 'damaged', reason };
}
