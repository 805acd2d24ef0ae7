/** Deep copies of what a state may hold, of bounded size: taken at each step boundary, so they must cost next to nothing. */

/** Values that a copy may have; more would cost the training loop more than it is worth. */
const MAX_VALUES = 4_096;
/** Bytes of typed arrays that count as one value. */
const BYTES_PER_VALUE = 64;

/**
 * A copy that later changes of the original do not reach; null when it has more values than is worth copying. What no
 * state may hold (functions, class instances) is passed on as it is: encoding it refuses it by its path.
 */
export function boundedCopy<T>(value: T): T | null {
  const copy = new Copy();
  const result = copy.of(value);
  return copy.left < 0 ? null : (result as T);
}

class Copy {
  left = MAX_VALUES;

  of(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) {
      this.left--;
      return value;
    }
    // Cycles and excess end here: what is half copied is thrown away.
    if (this.left-- < 0) return null;
    if (Array.isArray(value)) return value.map((item) => this.of(item));
    if (ArrayBuffer.isView(value)) return this.#view(value);
    if (value instanceof Map) return new Map([...value].map(([key, item]) => [this.of(key), this.of(item)]));
    if (value instanceof Set) return new Set([...value].map((item) => this.of(item)));
    if (value instanceof Date) return new Date(value.getTime());
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return value;
    const copy: Record<string, unknown> = {};
    for (const key of Object.keys(value)) this.#put(copy, key, (value as Record<string, unknown>)[key]);
    return copy;
  }

  #put(target: Record<string, unknown>, key: string, value: unknown): void {
    // Assigned, `__proto__` would be no key.
    if (key === '__proto__') Object.defineProperty(target, key, { value: this.of(value), enumerable: true });
    else target[key] = this.of(value);
  }

  #view(view: ArrayBufferView): unknown {
    this.left -= view.byteLength / BYTES_PER_VALUE;
    if (this.left < 0 || !('slice' in view) || typeof view.slice !== 'function') return view;
    // Buffer's own slice would share the memory.
    return Buffer.isBuffer(view) ? Buffer.from(view) : view.slice();
  }
}
