/** Structured values in text columns. */

export function toJson(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

/** The value of a column that only {@link toJson} writes; what cannot be read any more is null. */
export function fromJson<T>(text: string | null): T | null {
  if (text === null) return null;
  try {
    // Written by us from a T; a row of a newer version has passed a migration.
    return JSON.parse(text) as T;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** SQLite stores NaN as NULL by itself; made plain here, because null is what a reader gets. */
export function finiteOrNull(value: number | null): number | null {
  return value === null || Number.isNaN(value) ? null : value;
}
