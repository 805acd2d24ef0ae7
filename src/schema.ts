/**
 * Schemas as plain data, with one reader. Loading zod costs a fresh process 80 to 110 ms, and each worker, each SDK
 * thread and each supervisor pays that before it can say hello; this costs about one. Being data, the same schema also
 * drives the generators of the fuzz tests.
 *
 * Two kinds of objects: a message (`object`) comes from a peer of another release, so what may be null may be missing
 * and unknown fields are dropped; a record on the disk (`stored`) is whole or damaged, so every field must be there
 * unless it is `optional`, and fields of later releases are kept.
 */

export type Node =
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'number'; readonly min: number; readonly max: number; readonly integer: boolean }
  | { readonly kind: 'string'; readonly maxLength: number; readonly pattern: RegExp | null }
  | { readonly kind: 'one-of'; readonly values: readonly string[] }
  | { readonly kind: 'nullable'; readonly of: Node }
  | { readonly kind: 'list'; readonly of: Node; readonly min: number; readonly max: number }
  | { readonly kind: 'record'; readonly of: Node; readonly maxKeyLength: number; readonly keys: RegExp | null }
  | { readonly kind: 'optional'; readonly of: Node }
  | { readonly kind: 'object'; readonly fields: Readonly<Record<string, Node>>; readonly stored: boolean }
  | { readonly kind: 'either'; readonly of: readonly Node[] };

/** A node that remembers what it reads: `reads` is for the type checker only and never there. */
export type Schema<T> = Node & { readonly reads?: T };
export type Infer<S> = S extends { readonly reads?: infer T } ? Exclude<T, undefined> : never;
export type Fields = Readonly<Record<string, Node>>;
type Optional = { readonly kind: 'optional' };
type InferFields<F extends Fields> = { [K in keyof F as F[K] extends Optional ? never : K]: Infer<F[K]> } & {
  [K in keyof F as F[K] extends Optional ? K : never]?: Infer<F[K]>;
};
export type ObjectSchema<T> = Schema<T> & { readonly kind: 'object'; readonly fields: Fields };

export const literal = <const V extends string | number | boolean>(value: V): Schema<V> => ({ kind: 'literal', value });
export const boolean = (): Schema<boolean> => ({ kind: 'boolean' });
/** A finite number; JSON carries no others. */
export const number = (min = -Number.MAX_VALUE, max = Number.MAX_VALUE): Schema<number> => ({
  kind: 'number',
  min,
  max,
  integer: false,
});
/** An integer that a double holds exactly. */
export const integer = (min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER): Schema<number> => ({
  kind: 'number',
  min,
  max,
  integer: true,
});
/** @param maxLength in UTF-16 units. */
export const string = (maxLength: number, pattern: RegExp | null = null): Schema<string> => ({
  kind: 'string',
  maxLength,
  pattern,
});
export const oneOf = <const V extends string>(values: readonly V[]): Schema<V> => ({ kind: 'one-of', values });
export const nullable = <T>(of: Schema<T>): Schema<T | null> => ({ kind: 'nullable', of });
export const list = <T>(of: Schema<T>, min: number, max: number): Schema<T[]> => ({ kind: 'list', of, min, max });
/** @param keys what every key must match; null: anything. */
export const record = <T>(
  of: Schema<T>,
  maxKeyLength: number,
  keys: RegExp | null = null,
): Schema<Record<string, T>> => ({ kind: 'record', of, maxKeyLength, keys });
/** A message: what may be null may be missing, unknown fields are dropped. */
export const object = <F extends Fields>(fields: F): ObjectSchema<InferFields<F>> => ({
  kind: 'object',
  fields,
  stored: false,
});
/** A record on the disk: nothing but what is `optional` may be missing, unknown fields are kept. */
export const stored = <F extends Fields>(fields: F): ObjectSchema<InferFields<F>> => ({
  kind: 'object',
  fields,
  stored: true,
});
/** A field of {@link stored} that may be missing: one that came with a later release. */
export const optional = <T>(of: Schema<T>): Schema<T> & Optional => ({ kind: 'optional', of });
export const either = <A, B>(a: Schema<A>, b: Schema<B>): Schema<A | B> => ({ kind: 'either', of: [a, b] });

/** What is wrong with a value, and where: `policy.keep: not an integer from 1 to 9`. */
export class Invalid {
  readonly problem: string;
  readonly path: readonly string[];

  constructor(problem: string, path: readonly string[] = []) {
    this.problem = problem;
    this.path = path;
  }

  get detail(): string {
    return this.path.length === 0 ? this.problem : `${this.path.join('.')}: ${this.problem}`;
  }

  inside(key: string): Invalid {
    return new Invalid(this.problem, [key, ...this.path]);
  }
}

/** The value as the schema knows it, or what is wrong with it. Never throws, never recurses past the schema. */
export function read<T>(schema: Schema<T>, value: unknown): T | Invalid {
  // The one place where the phantom type meets the data: `readNode` returns what the node describes.
  return readNode(schema, value) as T | Invalid;
}

function readNode(node: Node, value: unknown): unknown {
  switch (node.kind) {
    case 'literal':
      return value === node.value ? value : new Invalid(`not ${JSON.stringify(node.value)}`);
    case 'boolean':
      return typeof value === 'boolean' ? value : new Invalid('not true or false');
    case 'number':
      return readNumber(node, value);
    case 'string':
      if (typeof value !== 'string') return new Invalid('not a string');
      if (value.length > node.maxLength) return new Invalid(`longer than ${node.maxLength} characters`);
      return node.pattern === null || node.pattern.test(value) ? value : new Invalid(`does not match ${node.pattern}`);
    case 'one-of':
      return typeof value === 'string' && node.values.includes(value)
        ? value
        : new Invalid(`not one of ${node.values.join(', ')}`);
    case 'nullable':
      return value === null ? null : readNode(node.of, value);
    case 'optional':
      return readNode(node.of, value);
    case 'list':
      return readList(node, value);
    case 'record':
      return readRecord(node, value);
    case 'object':
      return readObject(node, value);
    case 'either':
      return readEither(node, value);
  }
}

function readNumber(node: Extract<Node, { kind: 'number' }>, value: unknown): unknown {
  const fits = typeof value === 'number' && Number.isFinite(value) && value >= node.min && value <= node.max;
  if (fits && (!node.integer || Number.isSafeInteger(value))) return value;
  return new Invalid(`not ${node.integer ? 'an integer' : 'a number'} from ${node.min} to ${node.max}`);
}

function readList(node: Extract<Node, { kind: 'list' }>, value: unknown): unknown {
  if (!Array.isArray(value)) return new Invalid('not a list');
  if (value.length < node.min || value.length > node.max) {
    return new Invalid(`has ${value.length} entries, not ${node.min} to ${node.max}`);
  }
  const result: unknown[] = [];
  for (const [index, entry] of value.entries()) {
    const one = readNode(node.of, entry);
    if (one instanceof Invalid) return one.inside(String(index));
    result.push(one);
  }
  return result;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readRecord(node: Extract<Node, { kind: 'record' }>, value: unknown): unknown {
  if (!isObject(value)) return new Invalid('not an object');
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (key.length > node.maxKeyLength) return new Invalid(`has a key longer than ${node.maxKeyLength} characters`);
    if (node.keys !== null && !node.keys.test(key)) return new Invalid(`has the key ${shown(key)}`);
    const one = readNode(node.of, value[key]);
    if (one instanceof Invalid) return one.inside(shown(key));
    put(result, key, one);
  }
  return result;
}

function readObject(node: Extract<Node, { kind: 'object' }>, value: unknown): unknown {
  if (!isObject(value)) return new Invalid('not an object');
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(node.fields)) {
    const field = node.fields[key];
    if (field === undefined) continue;
    const isThere = Object.hasOwn(value, key);
    if (!isThere && field.kind === 'optional') continue;
    // An older peer does not know the field yet; a record on the disk has lost it.
    const absent = field.kind === 'nullable' && !node.stored ? null : undefined;
    const given = isThere ? value[key] : absent;
    if (given === undefined) return new Invalid('missing', [key]);
    const one = readNode(field, given);
    if (one instanceof Invalid) return one.inside(key);
    put(result, key, one);
  }
  if (node.stored) {
    for (const key of Object.keys(value)) if (!Object.hasOwn(node.fields, key)) put(result, key, value[key]);
  }
  return result;
}

/** The key `__proto__` becomes a plain entry, like any other. */
function put(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') target[key] = value;
  else Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** A key in a message: a hostile one may be a megabyte long. */
function shown(key: string): string {
  return JSON.stringify(key.length > 100 ? `${key.slice(0, 100)}...` : key);
}

function readEither(node: Extract<Node, { kind: 'either' }>, value: unknown): unknown {
  const problems: string[] = [];
  for (const option of node.of) {
    const one = readNode(option, value);
    if (!(one instanceof Invalid)) return one;
    problems.push(one.detail);
  }
  return new Invalid(problems.join(', and '));
}
