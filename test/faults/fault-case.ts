/**
 * One kind of call meets one kind of error: the first of a commit, then the second of the next commit, and so on until a
 * commit has no n-th one. After each the store is looked at, and a commit without faults must work.
 */
import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Acknowledged, type Acknowledgement } from '../power/acknowledged.ts';
import { lookAtDisk } from '../power/look-at-disk.ts';
import { treeOf } from '../rig/tree-of.ts';
import type { CaseReport, Violation } from '../torture/scenario.ts';
import { type Answer, Committer, type Faulted, type Place } from './committer.ts';
import { type Act, codeOf, type Fault, type FaultError, type FaultyCall, forbidsAcknowledgement } from './fault.ts';

const SESSION = '20261122_120000_abcd';
const KEEP = 2;
/** From then on each commit makes the same calls: something is rotated away each time. */
const COMMITS_BEFORE = KEEP + 1;

export interface FaultCaseOptions {
  /** Where the store is made, in a folder of its own. */
  readonly folder: string;
  readonly act: Act;
  readonly call: FaultyCall;
  readonly error: FaultError;
  /** Errors that the store is made careless about; default: none. */
  readonly ignored?: string | null;
}

export async function runFaultCase(options: FaultCaseOptions): Promise<CaseReport> {
  const folder = realpathSync(mkdtempSync(join(options.folder, 'nkat-faults-')));
  const place: Place = {
    root: join(folder, 'root'),
    backups: join(folder, 'backups'),
    session: SESSION,
    keep: KEEP,
    ignored: options.ignored ?? null,
  };
  const one = new FaultCase(options, place, join(folder, 'trace'));
  try {
    return await one.run();
  } finally {
    await one.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

class FaultCase {
  readonly #options: FaultCaseOptions;
  readonly #place: Place;
  readonly #log: string;
  readonly #directory: string;
  readonly #acknowledged = new Acknowledged();
  readonly #violations: Violation[] = [];
  readonly #story: string[] = [];
  #committer: Committer | null = null;
  #claim = 0;
  #step = 0;

  constructor(options: FaultCaseOptions, place: Place, log: string) {
    this.#options = options;
    this.#place = place;
    this.#log = log;
    this.#directory = join(place.root, SESSION);
  }

  async run(): Promise<CaseReport> {
    const { act, call, error } = this.#options;
    await this.#start();
    for (let made = 0; made < COMMITS_BEFORE; made++) await this.#undisturbed();
    let nth = 1;
    while (this.#violations.length === 0 && (await this.#suffer({ call, error, nth }))) nth++;
    const word = error === 'KILL' ? 'killed' : error;
    const faults = nth - 1;
    return {
      violations: this.#violations,
      counts: { faults, [`${act}: ${call.name} ${word}`]: faults },
      story: this.#story.slice(-6),
    };
  }

  async close(): Promise<void> {
    await this.#committer?.end();
  }

  /** False: there was no n-th call. */
  async #suffer(fault: Fault): Promise<boolean> {
    if (this.#options.act === 'settle') this.#take(await this.#order('commit', this.#next()));
    const before = treeOf(this.#directory);
    const details = this.#options.act === 'commit' ? this.#next() : {};
    const faulted = await this.#present().orderUnder(fault, this.#log, this.#options.act, details);
    const { answer, hit } = faulted;
    this.#story.push(
      `${fault.call.name} ${fault.nth} ${fault.error}: ${hit ?? 'no such call'} -> ${JSON.stringify(answer)}`,
    );
    if (this.#options.act === 'commit') {
      this.#take(answer);
      this.#judgeCommit(fault, faulted);
      this.#compare(before);
    }
    this.#judgeAnswer(fault, faulted);
    if (answer.kind === 'died') await this.#start();
    await this.#look();
    // Where the settling failed it is this one that catches up.
    await this.#undisturbed();
    await this.#look();
    this.#requireTidiness(answer);
    return hit !== null;
  }

  #judgeAnswer({ error }: Fault, { answer, hit }: Faulted): void {
    // A bug on the way would be told as `io` too: the words must name the system's error.
    const isTold = answer.kind === 'failed' && answer.code === codeOf(error) && answer.message.includes(error);
    if (answer.kind === 'failed' && !isTold) {
      this.#violate('failure-is-told', `after ${hit} it failed with ${answer.code}: ${answer.message}`);
    }
    if (answer.kind === 'failed' && (hit === null || error === 'EINTR')) {
      this.#violate('nothing-fails-alone', `it failed although nothing was broken (${hit}): ${answer.message}`);
    }
    if (answer.kind === 'died' && !(error === 'KILL' && answer.by.startsWith('SIGKILL'))) {
      this.#violate('nothing-fails-alone', `the process ended by ${answer.by} after ${hit}`);
    }
  }

  #judgeCommit({ error }: Fault, { answer, hit }: Faulted): void {
    const isBroken = hit !== null && (error === 'EIO' || error === 'ENOSPC') && forbidsAcknowledgement(hit);
    if (answer.kind === 'done' && isBroken) {
      this.#violate('failure-is-told', `a commit was acknowledged although it met ${hit}`);
    }
    if (answer.kind !== 'failed') return;
    const left = readdirSync(this.#directory).filter((name) => name.startsWith(`checkpoint_${SESSION}_${this.#step}_`));
    if (left.length > 0) this.#violate('failed-leaves-nothing', `${left.join(', ')} of a commit that failed at ${hit}`);
  }

  /** A commit that was not acknowledged, or was, has not touched what was there. */
  #compare(before: readonly string[]): void {
    const now = new Set(treeOf(this.#directory));
    const touched = before.filter((line) => line.startsWith('checkpoint_') && !now.has(line));
    if (touched.length > 0) this.#violate('older-untouched', touched.join(', '));
  }

  async #look(): Promise<void> {
    const { session, keep } = this.#place;
    const { violations } = await lookAtDisk({
      directory: this.#directory,
      session,
      acknowledged: this.#acknowledged,
      keep,
      knows: () => null,
    });
    this.#violations.push(...violations);
    const chosen = await this.#order('choose');
    const newest = this.#acknowledged.newest?.sequence ?? 0;
    if (chosen.kind === 'done' && (chosen.done as { sequence: number }).sequence >= newest) return;
    this.#violate('resumes-from-newest', `${newest} was reported durable; chosen: ${JSON.stringify(chosen)}`);
  }

  /** After a commit without faults: rotation has caught up, and nothing half-made is left of the dead. */
  #requireTidiness(answer: Answer): void {
    const names = readdirSync(this.#directory).filter((name) => name.startsWith('checkpoint_'));
    if (names.length > KEEP + 1) this.#violate('rotation-catches-up', `${names.join(', ')} where ${KEEP} are kept`);
    const staged = readdirSync(join(this.#directory, '.staging'));
    if (answer.kind === 'died' && staged.length > 0) this.#violate('nothing-left-behind', staged.join(', '));
    const backups = readdirSync(join(this.#place.backups, SESSION)).filter((name) => name.startsWith('best_'));
    const newest = `best_${this.#step}_${this.#acknowledged.newest?.sequence}`;
    if (!backups.includes(newest)) this.#violate('best-has-its-copy', `${newest} is not among ${backups.join(', ')}`);
  }

  async #undisturbed(): Promise<void> {
    this.#take(this.#required('next-commit-works', await this.#order('commit', this.#next())));
    this.#required('next-commit-works', await this.#order('settle'));
  }

  async #start(): Promise<void> {
    await this.#committer?.end();
    this.#committer = await Committer.start(this.#place);
    const claimed = this.#required('next-commit-works', await this.#order('claim'));
    if (claimed.kind === 'done') this.#claim = (claimed.done as { claim: number }).claim;
  }

  #next(): object {
    this.#step++;
    return { step: this.#step, claim: this.#claim };
  }

  #order(order: string, details: object = {}): Promise<Answer> {
    return this.#present().order(order, details);
  }

  #present(): Committer {
    if (this.#committer === null) throw new Error('nobody commits');
    return this.#committer;
  }

  #take(answer: Answer): void {
    if (answer.kind === 'done') this.#acknowledged.add(answer.done as Acknowledgement);
  }

  #required(invariant: string, answer: Answer): Answer {
    if (answer.kind !== 'done') this.#violate(invariant, JSON.stringify(answer));
    return answer;
  }

  #violate(invariant: string, detail: string): void {
    this.#violations.push({ invariant, detail });
  }
}
