/** Objects that the trainer keeps across launches: their contents are replaced in place, so closures see the change. */
import { NkatError } from '../errors.ts';

type Container = Record<string, unknown> | unknown[] | Map<unknown, unknown> | Set<unknown>;

/** What may be kept: a plain object, an array, a Map, a Set or a typed array. */
export type Keepable = object;

/**
 * Makes `target` hold what `saved` holds.
 * @throws NkatError `state-mismatch` when the two are of different sorts, or typed arrays of different length.
 */
export function putBackInPlace(name: string, target: Keepable, saved: unknown): void {
  const sort = sortOf(target);
  if (sort === null || sort !== sortOf(saved))
    throw mismatch(name, `it is ${describe(target)}, saved was ${describe(saved)}`);
  if (ArrayBuffer.isView(target) && ArrayBuffer.isView(saved)) {
    if (target.byteLength !== saved.byteLength) throw mismatch(name, `its length differs from the saved one`);
    new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(
      new Uint8Array(saved.buffer, saved.byteOffset, saved.byteLength),
    );
    return;
  }
  fill(target as Container, saved as Container);
}

/** Refuses what could not be put back. @throws NkatError `state-not-serializable` */
export function assertKeepable(name: string, value: unknown): void {
  if (sortOf(value) !== null) return;
  throw new NkatError(
    `run.keep('${name}') takes a plain object, an array, a Map, a Set or a typed array, not ${describe(value)}`,
    {
      code: 'state-not-serializable',
      operation: 'keep an object',
      hint: 'Keep a plain object that holds the values.',
    },
  );
}

function fill(target: Container, saved: Container): void {
  if (Array.isArray(target)) {
    target.length = 0;
    for (const item of saved as unknown[]) target.push(item);
  } else if (target instanceof Map) {
    target.clear();
    for (const [key, value] of saved as Map<unknown, unknown>) target.set(key, value);
  } else if (target instanceof Set) {
    target.clear();
    for (const value of saved as Set<unknown>) target.add(value);
  } else {
    const source = saved as Record<string, unknown>;
    for (const key of Object.keys(target)) if (!Object.hasOwn(source, key)) delete target[key];
    Object.assign(target, source);
  }
}

function sortOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value)) return 'array';
  if (value instanceof Map) return 'Map';
  if (value instanceof Set) return 'Set';
  if (ArrayBuffer.isView(value)) return value instanceof DataView ? null : value.constructor.name;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? 'object' : null;
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : `a ${typeof value}`;
  return `a ${sortOf(value) ?? value.constructor?.name ?? 'class instance'}`;
}

function mismatch(name: string, why: string): NkatError {
  return new NkatError(`cannot put back what run.keep('${name}') saved: ${why}`, {
    code: 'state-mismatch',
    operation: 'restore a kept object',
    hint: 'Keep the same sort of object under the same name as when the checkpoint was made.',
  });
}
