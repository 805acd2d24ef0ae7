/**
 * JSON state that comes back as it was. What JSON would change in silence is either encoded (NaN, infinities, -0,
 * undefined, bigint, typed arrays, Map, Set, Date) or refused with the path of keys that leads to it.
 */
import { types } from 'node:util';
import { NkatError } from '../errors.ts';

/** Key of an encoded value: `{ "$nkat": "bigint", "value": "12" }`. Own keys that begin so are escaped. */
const TAG = '$nkat';
/** Deeper states are refused: `JSON.stringify` and we would overflow the stack at some unknown depth. */
const MAX_DEPTH = 1000;

const SPECIAL_NUMBERS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '-0': -0,
};

const BINARY = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} as const;

/**
 * The value as JSON text. A value that occurs twice comes back as two values.
 * @throws NkatError `state-not-serializable` for functions, symbols, class instances, cycles and what is nested
 * deeper than 1000 levels, naming the path of keys
 */
export function encodeState(value: unknown): string {
  return JSON.stringify(encode(value, [], new Set()));
}

/** Reads what {@link encodeState} wrote. @throws NkatError `format-newer` for an encoding that a later release made */
export function decodeState(text: string): unknown {
  return decode(JSON.parse(text));
}

type Path = readonly (string | number)[];

function encode(value: unknown, path: Path, above: Set<object>): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : tagged('number', Object.is(value, -0) ? '-0' : String(value));
    case 'undefined':
      return { [TAG]: 'undefined' };
    case 'bigint':
      return tagged('bigint', value.toString());
    case 'object':
      return value === null ? null : encodeNested(value, path, above);
    default:
      throw refused(path, `a ${typeof value}`);
  }
}

function encodeNested(value: object, path: Path, above: Set<object>): unknown {
  if (above.has(value)) throw refused(path, 'a cycle (the object contains itself)');
  if (path.length > MAX_DEPTH) throw refused(path.slice(0, 5), `nested deeper than ${MAX_DEPTH} levels`);
  above.add(value);
  const encoded = encodeObject(value, path, above);
  above.delete(value);
  return encoded;
}

function encodeObject(value: object, path: Path, above: Set<object>): unknown {
  const kind = kindOf(value);
  if (Array.isArray(value) && kind === 'Array') {
    if (Object.keys(value).length > value.length) throw refused(path, 'an array with named properties');
    return Array.from(value, (item: unknown, index) => encode(item, [...path, index], above));
  }
  if (types.isTypedArray(value) && (isBinary(kind) || kind === 'Buffer')) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return tagged(kind === 'Buffer' ? 'Uint8Array' : kind, bytes.toString('base64'));
  }
  if (types.isDate(value) && kind === 'Date') return tagged('Date', encode(value.getTime(), path, above));
  if (types.isMap(value) && kind === 'Map') {
    const entries = [...value].map(([key, item], index) => [
      encode(key, [...path, `key ${index}`], above),
      encode(item, [...path, typeof key === 'string' ? key : index], above),
    ]);
    return tagged('Map', entries);
  }
  if (types.isSet(value) && kind === 'Set') {
    return tagged(
      'Set',
      [...value].map((item, index) => encode(item, [...path, index], above)),
    );
  }
  if (kind !== 'Object') throw refused(path, `an instance of ${kind}`);
  return encodePlain(value, path, above);
}

function encodePlain(value: object, path: Path, above: Set<object>): unknown {
  if (Object.getOwnPropertySymbols(value).length > 0) throw refused(path, 'an object with a symbol as key');
  const entries = Object.entries(value).map(([key, item]) => [key, encode(item, [...path, key], above)] as const);
  if (entries.some(([key]) => key.startsWith(TAG))) return tagged('object', entries);
  return Object.fromEntries(entries);
}

/** Name of the exact built-in that made the object (also of another realm); `Object` for plain ones. */
function kindOf(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (typeof prototype !== 'object' || prototype === null || Object.getPrototypeOf(prototype) === null) {
    return types.isProxy(value) ? 'Proxy' : 'Object';
  }
  const maker = prototype.constructor;
  if (typeof maker !== 'function' || maker.name === '') return 'a nameless class';
  return maker.name === 'Object' ? 'an object with inherited properties' : maker.name;
}

function tagged(kind: string, value: unknown): Record<string, unknown> {
  return { [TAG]: kind, value };
}

function decode(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(decode);
  if (!Object.hasOwn(value, TAG)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
  }
  return decodeTagged(value);
}

function decodeTagged(tag: object): unknown {
  const kind = String(Reflect.get(tag, TAG));
  const value: unknown = Reflect.get(tag, 'value');
  if (kind === 'undefined') return undefined;
  if (typeof value === 'string') {
    if (kind === 'number' && Object.hasOwn(SPECIAL_NUMBERS, value)) return SPECIAL_NUMBERS[value];
    if (kind === 'bigint') return BigInt(value);
    if (isBinary(kind)) {
      const bytes = Uint8Array.from(Buffer.from(value, 'base64'));
      return new BINARY[kind](bytes.buffer);
    }
  }
  if (kind === 'Date') return new Date(Number(decode(value)));
  if (Array.isArray(value)) {
    if (kind === 'Map') return new Map(value.map(decodeEntry));
    if (kind === 'Set') return new Set(value.map(decode));
    if (kind === 'object') return Object.fromEntries(value.map(decodeEntry).map(([key, item]) => [String(key), item]));
  }
  throw new NkatError(`The state holds an encoding that this release does not know: ${kind}.`, {
    code: 'format-newer',
    operation: 'read the state',
    hint: 'Use the release of nkat-recover that wrote it, or a newer one.',
  });
}

function decodeEntry(entry: unknown): [unknown, unknown] {
  const [key, item]: unknown[] = Array.isArray(entry) ? entry : [];
  return [decode(key), decode(item)];
}

function isBinary(kind: string): kind is keyof typeof BINARY {
  return Object.hasOwn(BINARY, kind);
}

function refused(path: Path, what: string): NkatError {
  const where = path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join('');
  return new NkatError(`The state at "${where || '(top)'}" is ${what}, which cannot be saved.`, {
    code: 'state-not-serializable',
    operation: 'encode the state',
    hint: 'Keep plain data: numbers, strings, arrays, plain objects, typed arrays, Map, Set, Date.',
  });
}
