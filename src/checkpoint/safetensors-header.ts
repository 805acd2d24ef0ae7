/**
 * The header of a safetensors file: 8 bytes with its length (little-endian), then JSON that names dtype, shape and
 * place of every tensor. What is read is never trusted: nothing is allocated by what a header claims.
 */
import { NkatError } from '../errors.ts';
import { DTYPE_BITS, type Dtype, type TensorSpec } from './types.ts';

/** Longest header that the format's own readers accept, in bytes. */
export const MAX_HEADER_BYTES = 100_000_000;
export const LENGTH_BYTES = 8;
const METADATA = '__metadata__';

/** A tensor and its place in the data section. */
export interface PlacedTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly bytes: number;
}

export interface PlannedFile {
  /** Length field, JSON and padding: all that comes before the data. */
  readonly header: Buffer;
  readonly tensors: readonly PlacedTensor[];
  /** Of the whole file. */
  readonly bytes: number;
}

/**
 * Plans a file whose tensors follow one another in the order given.
 * @throws NkatError `state-mismatch` for a name that is not well-formed Unicode, reserved or given twice, an unknown
 * dtype, a shape that is not of whole numbers, more bytes than can be counted, or a header beyond the format's limit
 */
export function planFile(specs: readonly TensorSpec[]): PlannedFile {
  const names = new Set<string>();
  const tensors: PlacedTensor[] = [];
  let offset = 0;
  for (const { name, dtype, shape } of specs) {
    checkName(name, names);
    const bytes = bytesOf(dtype, shape);
    if (bytes === null || !Number.isSafeInteger(offset + bytes)) {
      throw refused(`Tensor "${name}" has a dtype or shape that cannot be saved: ${dtype} [${shape.join(', ')}].`);
    }
    tensors.push({ name, dtype, shape, offset, bytes });
    offset += bytes;
  }
  const header = encodeHeader(tensors);
  return { header, tensors, bytes: header.length + offset };
}

/** Bytes of a tensor, or null where dtype and shape make no whole number of bytes that can be counted. */
export function bytesOf(dtype: string, shape: readonly number[]): number | null {
  if (!isDtype(dtype)) return null;
  let elements = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) return null;
    elements *= size;
    if (!Number.isSafeInteger(elements)) return null;
  }
  const bytes = (elements * DTYPE_BITS[dtype]) / 8;
  return Number.isSafeInteger(bytes) ? bytes : null;
}

export type ParsedHeader =
  | { readonly ok: true; readonly tensors: readonly PlacedTensor[] }
  | { readonly ok: false; readonly problem: string };

/** Length of the JSON part as the first 8 bytes claim it, or what is wrong with it. */
export function headerLength(first8: Uint8Array, fileBytes: number): number | string {
  if (first8.length < LENGTH_BYTES) return 'the file is too short for a header';
  const view = new DataView(first8.buffer, first8.byteOffset, LENGTH_BYTES);
  const claimed = view.getBigUint64(0, true);
  if (claimed > BigInt(MAX_HEADER_BYTES)) return `the header claims ${claimed} bytes, more than the format allows`;
  if (claimed > BigInt(fileBytes - LENGTH_BYTES)) return `the header claims ${claimed} bytes, more than the file has`;
  return Number(claimed);
}

/**
 * Reads the JSON part. Tensors come back in the order of their data.
 * @param dataBytes what the file has after the header: the tensors must fill it without gap or overlap
 */
export function parseHeader(json: Uint8Array, dataBytes: number): ParsedHeader {
  let value: unknown;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json);
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, problem: `the header is not JSON (${error instanceof Error ? error.message : String(error)})` };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, problem: 'the header is not an object' };
  }
  const entries = Object.entries(value);
  if (countTopLevelKeys(text) !== entries.length) return { ok: false, problem: 'the header names a tensor twice' };
  const tensors: PlacedTensor[] = [];
  for (const [name, entry] of entries) {
    if (name === METADATA) continue;
    const tensor = placedTensor(name, entry);
    if (typeof tensor === 'string') return { ok: false, problem: `tensor "${name}" ${tensor}` };
    tensors.push(tensor);
  }
  tensors.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  const problem = layoutProblem(tensors, dataBytes);
  return problem === null ? { ok: true, tensors } : { ok: false, problem };
}

/** What is wrong with the places of tensors that are in the order of their data; null: they fill it exactly. */
export function layoutProblem(tensors: readonly PlacedTensor[], dataBytes: number): string | null {
  let end = 0;
  for (const { name, offset, bytes } of tensors) {
    if (offset < end) return `tensor "${name}" overlaps the one before it`;
    if (offset > end) return `there is a gap before tensor "${name}"`;
    end += bytes;
    if (end > dataBytes) return `tensor "${name}" ends past the end of the file`;
  }
  return end === dataBytes ? null : `the tensors take ${end} bytes, the file has ${dataBytes} for them`;
}

function placedTensor(name: string, entry: unknown): PlacedTensor | string {
  if (typeof entry !== 'object' || entry === null) return 'is not described by an object';
  const dtype: unknown = Reflect.get(entry, 'dtype');
  const shape: unknown = Reflect.get(entry, 'shape');
  const offsets: unknown = Reflect.get(entry, 'data_offsets');
  if (typeof dtype !== 'string' || !isDtype(dtype)) return `has an unknown dtype: ${String(dtype).slice(0, 32)}`;
  if (!isCounts(shape)) return 'has a shape that is not of whole numbers';
  if (!isCounts(offsets) || offsets.length !== 2) return 'has offsets that are not two whole numbers';
  const [begin = 0, end = 0] = offsets;
  if (end < begin) return 'ends before it begins';
  const bytes = bytesOf(dtype, shape);
  if (bytes !== end - begin)
    return `has ${end - begin} bytes, its dtype and shape need ${bytes ?? 'more than can be counted'}`;
  return { name, dtype, shape, offset: begin, bytes };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function isDtype(dtype: string): dtype is Dtype {
  return Object.hasOwn(DTYPE_BITS, dtype);
}

/** `JSON.parse` keeps the last of two equal keys in silence; text that it accepted is counted here. */
function countTopLevelKeys(text: string): number {
  let depth = 0;
  let keys = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      at = endOfString(text, at);
    } else if (char === '{' || char === '[') {
      depth++;
    } else if (char === '}' || char === ']') {
      depth--;
    } else if (char === ':' && depth === 1) {
      keys++;
    }
  }
  return keys;
}

/** Index of the quote that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function encodeHeader(tensors: readonly PlacedTensor[]): Buffer {
  const entries = tensors.map(({ name, dtype, shape, offset, bytes }) => {
    const entry = JSON.stringify({ dtype, shape, data_offsets: [offset, offset + bytes] });
    return `${JSON.stringify(name)}:${entry}`;
  });
  const json = Buffer.from(`{${entries.join(',')}}`, 'utf8');
  // Padded with spaces so that the data is 8-byte aligned, as the format's own writer does.
  const padded = Math.ceil(json.length / 8) * 8;
  if (padded > MAX_HEADER_BYTES) throw refused('The names and shapes of the tensors take more than 100 MB.');
  const header = Buffer.alloc(LENGTH_BYTES + padded, ' ');
  header.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(header, LENGTH_BYTES);
  return header;
}

function checkName(name: string, seen: Set<string>): void {
  if (name === METADATA) throw refused(`"${METADATA}" is reserved by the file format and cannot name a tensor.`);
  if (Buffer.from(name, 'utf8').toString('utf8') !== name) {
    throw refused(`The tensor name ${JSON.stringify(name)} is not well-formed Unicode.`);
  }
  if (seen.has(name)) throw refused(`Two tensors have the name "${name}".`);
  seen.add(name);
}

function refused(message: string): NkatError {
  return new NkatError(message, { code: 'state-mismatch', operation: 'lay out the tensors' });
}
