/** One session on a machine that loses its power again and again, and then runs to its end. */
import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Run } from '../rig/run.ts';
import { chanceOf } from '../rig/seeded.ts';
import type { CaseReport, Violation } from '../torture/scenario.ts';
import { Acknowledged } from './acknowledged.ts';
import { CommitWatch } from './commit-watch.ts';
import { type Cut, drawCut, momentOf } from './cut-moment.ts';
import { lookAtDisk, stagedSequences } from './look-at-disk.ts';
import { indexViolations } from './look-at-index.ts';
import { type FileSystem, Machine } from './machine.ts';
import { commandLine, plainEnvironment, type Reference, reference } from './reference.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What `unshare` says when its child was killed. */
const UNSHARE_NOISE = /^unshare: sigprocmask unblock failed.*$/gm;

export interface CutCaseOptions {
  readonly fileSystem: FileSystem;
  readonly cuts: number;
  readonly seed: number;
  /** Where the command is; default: this tree. */
  readonly installation?: string;
}

export async function runCutCase(options: CutCaseOptions): Promise<CaseReport> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nkat-power-')));
  const machine = await Machine.make(folder, options.fileSystem);
  try {
    return await new CutCase(machine, options, await reference()).run();
  } finally {
    await machine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

class CutCase {
  readonly #machine: Machine;
  readonly #options: CutCaseOptions;
  readonly #reference: Reference;
  #acknowledged = new Acknowledged();
  readonly #violations: Violation[] = [];
  readonly #story: string[] = [];
  readonly #counts: Record<string, number> = {
    cuts: 0,
    'inside a commit': 0,
    'of these after its rename': 0,
    'with its log flushed': 0,
    recoveries: 0,
  };
  readonly #keep: number;
  /** The session's directory, as the machine names it. */
  #directory: string | null = null;
  /** The session was reported completed: the same line may begin another one. */
  #hasCompleted = false;

  constructor(machine: Machine, options: CutCaseOptions, expected: Reference) {
    this.#machine = machine;
    this.#options = options;
    this.#reference = expected;
    // Where everything is kept nothing may ever be missing; where little is kept rotation is at work in each commit.
    this.#keep = options.seed % 2 === 0 ? 1000 : 2;
  }

  async run(): Promise<CaseReport> {
    const chance = chanceOf(this.#options.seed);
    for (let number = 1; number <= this.#options.cuts && this.#violations.length === 0; number++) {
      const isBehind = (this.#counts['inside a commit'] ?? 0) * 2 < number - 1;
      await this.#cut(number, drawCut(chance, isBehind));
    }
    if (this.#violations.length === 0) await this.#toTheEnd();
    return { violations: this.#violations, counts: this.#counts, story: this.#story };
  }

  async #cut(number: number, cut: Cut): Promise<void> {
    const run = this.#boot();
    const commits = new CommitWatch(run, this.#directory, (path) => this.#machine.seen(path));
    await momentOf(run, cut.moment, commits);
    const { staged, renamed } = commits;
    await this.#machine.cut(cut.flush);
    this.#take(run);
    // Begun, seen under way at the cut, and never acknowledged.
    const isUnsaid = (sequence: number): boolean => !this.#acknowledged.has(sequence);
    this.#count('cuts', true);
    this.#count('inside a commit', [...staged, ...renamed].some(isUnsaid));
    this.#count('of these after its rename', renamed.some(isUnsaid));
    this.#count('with its log flushed', cut.flush);
    this.#tell(
      `cut ${number} ${JSON.stringify(cut)}: staged ${staged.join(', ') || 'nothing'}, renamed ${renamed.join(', ') || 'nothing'}, newest acknowledged ${this.#acknowledged.newest?.sequence ?? 'none'}, last event ${run.events.at(-1)?.name ?? 'none'}`,
    );
    this.#machine.mount();
    await this.#look();
  }

  async #toTheEnd(): Promise<void> {
    const run = this.#boot();
    const { code } = await run.exited;
    this.#take(run);
    if (code !== 0) this.#violate('runs-to-the-end', `it ended with ${code}: ${run.describe()}`);
    const digest = run.named('session-ended')[0]?.summary.digest;
    if (code === 0 && digest !== this.#reference.finalDigest) {
      this.#violate('resumed-equals-uninterrupted', `the end is ${digest} instead of ${this.#reference.finalDigest}`);
    }
    await this.#look();
    if (this.#directory !== null && code === 0) {
      const seen = this.#machine.seen(this.#directory);
      const staged = stagedSequences(seen);
      if (staged.length > 0) this.#violate('nothing-left-behind', `staging still holds ${staged.join(', ')}`);
      await this.#askIndex(this.#directory);
    }
    await this.#machine.halt();
  }

  #boot(): Run {
    const { installation = ROOT } = this.#options;
    const line = commandLine(installation, ['--keep', String(this.#keep)]);
    return this.#machine.start(line, plainEnvironment(join(this.#machine.disk, 'home')));
  }

  /** Takes what a boot said, and holds it against what was said before. */
  #take(run: Run): void {
    const opened = run.named('session-opened')[0];
    const isAnother = opened !== undefined && this.#directory !== null && opened.directory !== this.#directory;
    if (isAnother && this.#hasCompleted) {
      this.#acknowledged = new Acknowledged();
      this.#hasCompleted = false;
    }
    const before = this.#acknowledged.newest;
    if (isAnother && before !== null) {
      this.#violate('resumes-from-newest', `another session was begun although ${before.sequence} was saved`);
    }
    if (opened !== undefined) this.#directory = opened.directory;
    this.#judgeResume(run, before?.sequence ?? 0);
    for (const { sequence, reason } of run.named('checkpoint-quarantined')) {
      this.#violate('complete-or-absent', `checkpoint ${sequence} was quarantined: ${reason}`);
    }
    this.#acknowledged.take(run.events);
    if (run.named('session-ended').some(({ outcome }) => outcome === 'completed')) this.#hasCompleted = true;
    const stderr = run.stderr.replace(UNSHARE_NOISE, '').trim();
    if (stderr !== '') this.#tell(`stderr: ${stderr.slice(-600)}`);
  }

  #judgeResume(run: Run, newest: number): void {
    const chosen = run.named('checkpoint-chosen')[0];
    if (chosen !== undefined) {
      this.#count('recoveries', true);
      if (chosen.sequence < newest) {
        const why = JSON.stringify(chosen.candidates).slice(0, 600);
        this.#violate('resumes-from-newest', `${chosen.sequence} was chosen, ${newest} was reported durable: ${why}`);
      }
      return;
    }
    if (newest > 0 && run.named('training-started').some(({ sequence }) => sequence === null)) {
      this.#violate('never-silently-fresh', `it started from zero although ${newest} was reported durable`);
    }
  }

  async #look(): Promise<void> {
    if (this.#directory === null) return;
    const home = this.#machine.seen(join(this.#machine.disk, 'home'));
    const names = namesIn(home);
    const damaged = names.filter((name) => /damaged/.test(name));
    if (damaged.length > 0) this.#violate('database-survives', `${damaged.join(', ')} in the state home`);
    const { violations } = await lookAtDisk({
      directory: this.#machine.seen(this.#directory),
      session: basename(this.#directory),
      acknowledged: this.#acknowledged,
      keep: this.#keep,
      knows: this.#reference.knows,
    });
    this.#violations.push(...violations);
  }

  async #askIndex(directory: string): Promise<void> {
    const { installation = ROOT } = this.#options;
    const shown = this.#machine.start(
      [process.execPath, join(installation, 'bin/nkat-recover.js'), 'show', basename(directory), '--json'],
      plainEnvironment(join(this.#machine.disk, 'home')),
    );
    await shown.exited;
    this.#violations.push(...indexViolations(shown.stdout, namesIn(this.#machine.seen(directory))));
  }

  #violate(invariant: string, detail: string): void {
    this.#violations.push({ invariant, detail });
  }

  #tell(line: string): void {
    this.#story.push(line);
  }

  #count(word: string, counts: boolean): void {
    if (counts) this.#counts[word] = (this.#counts[word] ?? 0) + 1;
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    // Cut before it was made durable.
    return [];
  }
}
