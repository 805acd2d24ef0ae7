/** What who opens the index may ask for, and what it is told. */
import type { FileOptions } from './open-file.ts';
import type { Tables } from './tables.ts';

export type DatabaseNews =
  /** Writes are kept in memory from now on; what is read is as old as the file. */
  | { readonly kind: 'degraded'; readonly reason: string }
  | { readonly kind: 'recovered'; readonly written: number; readonly lost: number }
  /** The file was deleted, moved or damaged; an empty one stands in its place and wants to be re-indexed. */
  | { readonly kind: 'replaced'; readonly setAside: string | null }
  | { readonly kind: 'dropped'; readonly reason: string };

export interface DatabaseOptions extends Partial<FileOptions> {
  readonly onNews?: (news: DatabaseNews) => void;
  /** Writes what this process knows into a file that replaced another one, before any other write. */
  readonly refill?: (tables: Tables) => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly monotonicMs?: () => number;
}
