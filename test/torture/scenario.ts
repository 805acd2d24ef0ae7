/**
 * What a torture run is made of. A scenario plans cases, each of them a few blows (cuts, kills, faults) against a world of
 * its own; a case tells what it saw. To add one: implement this and list it in scenarios.ts.
 */
export interface Violation {
  /** Stable word of the promise that was broken, such as `acknowledged-is-there`. */
  readonly invariant: string;
  readonly detail: string;
}

export interface CaseReport {
  readonly violations: readonly Violation[];
  /** What the summary adds up: `{ cuts: 3, 'inside a commit': 2 }`. */
  readonly counts: Readonly<Record<string, number>>;
  /** What happened, line by line; shown with a violation. */
  readonly story: readonly string[];
}

export interface TortureCase {
  /** All that it takes to run it again: `cut/xfs/3/1234`. */
  readonly id: string;
  /** Blows that it deals, for the progress bar. */
  readonly blows: number;
  run(): Promise<CaseReport>;
}

export interface Scenario {
  readonly name: string;
  /** False: it makes all that there are, `--faults` without a number. */
  readonly takesCount: boolean;
  /** Null: it can run here. Else why not. */
  readonly unable: string | null;
  /** Cases with this many blows in all, the same for the same seed. */
  plan(blows: number, seed: number): TortureCase[];
  /** The case that an id of this scenario names; null: it is none of this scenario. */
  find(id: string): TortureCase | null;
}
