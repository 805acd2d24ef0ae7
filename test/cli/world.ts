/** A state home with real sessions in it, and the real command line on it. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { acquireClaim, releaseClaim } from '../../src/checkpoint/claim.ts';
import { beginCommit } from '../../src/checkpoint/commit.ts';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { type StoreLayout, storeLayout } from '../../src/checkpoint/layout.ts';
import { newSessionFile, writeSessionFile } from '../../src/checkpoint/session-file.ts';
import type { Committed, SessionFile } from '../../src/checkpoint/types.ts';
import { type StateHome, stateHome } from '../../src/home.ts';
import { openSessions } from '../../src/sessions/open.ts';
import type { SessionRow } from '../../src/sessions/types.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const COMMAND = join(ROOT, 'bin/nkat-recover.js');
const PTY = join(ROOT, 'test/cli/pseudo_terminal.py');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface PtyOptions {
  readonly columns?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Waits for a text, then types another; `\u0004` ends the input. */
  readonly script?: readonly { readonly wait: string; readonly send: string }[];
}

export interface SessionChanges {
  readonly row?: Partial<SessionRow>;
  readonly file?: Partial<SessionFile>;
  /** Leaves the claim with this very process, as a supervisor that lives. */
  readonly held?: boolean;
  readonly steps?: readonly number[];
}

export class World {
  readonly directory = temporaryDirectory();
  readonly home: StateHome = stateHome({ NKAT_HOME: join(this.directory, 'home') });

  constructor() {
    mkdirSync(this.home.directory, { recursive: true });
  }

  environment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
    const inherited = Object.entries(process.env).filter(
      ([name, value]) =>
        value !== undefined && !/^(NKAT_|VITEST|NODE_|NO_COLOR|FORCE_COLOR|COLUMNS|CI$|TERM$)/.test(name),
    );
    return {
      ...(Object.fromEntries(inherited) as Record<string, string>),
      TERM: 'xterm',
      NKAT_HOME: this.home.directory,
      ...extra,
    };
  }

  /** The command line without a terminal. */
  cli(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Finished> {
    return finished(process.execPath, [COMMAND, ...args], this.directory, this.environment(environment));
  }

  /** Any shell line, with the command as `$NKAT`. */
  shell(script: string, environment: Readonly<Record<string, string>> = {}): Promise<Finished> {
    const env = this.environment({ NKAT: `${process.execPath} ${COMMAND}`, ...environment });
    return finished('bash', ['-c', script], this.directory, env);
  }

  /** The command line on a pseudo terminal. */
  terminal(args: readonly string[], options: PtyOptions = {}): Promise<{ output: string; code: number }> {
    return this.onTerminal([process.execPath, COMMAND, ...args], options);
  }

  async onTerminal(argv: readonly string[], options: PtyOptions = {}): Promise<{ output: string; code: number }> {
    const { columns = 100, environment = {}, script = [] } = options;
    const spec = { argv, cwd: this.directory, env: this.environment(environment), columns, script };
    const { stdout, stderr } = await finished('python3', [PTY], this.directory, process.env, JSON.stringify(spec));
    if (stdout === '') throw new Error(`the pseudo terminal failed: ${stderr}`);
    return JSON.parse(stdout) as { output: string; code: number };
  }

  /** A session in its directory and in the index, with real checkpoints at the steps named. */
  async addSession(id: string, changes: SessionChanges = {}): Promise<StoreLayout> {
    const layout = storeLayout(this.home.checkpoints, this.home.backups, id);
    const identity = {
      cwd: this.directory,
      trainer: join(this.directory, 'train.mjs'),
      args: ['--epochs', '3'],
      name: null,
    };
    const now = new Date('2026-11-22T12:00:00.000Z');
    const made = newSessionFile({ id, identity, token: 'secret', sourceDigest: null, backups: layout.backups, now });
    const file: SessionFile = {
      ...made,
      state: changes.row?.state ?? 'interrupted',
      attempts: 2,
      lastStep: 40,
      ...changes.file,
    };
    await writeSessionFile(nodeFiles, layout.directory, file);
    const claim = await acquireClaim(nodeFiles, layout.directory, { role: 'supervisor', takeOver: false });
    if (claim.status !== 'claimed') throw new Error('the session of the test is held');
    const committed: Committed[] = [];
    for (const step of changes.steps ?? []) committed.push(await this.#commit(layout, claim.claim, step));
    if (changes.held !== true) await releaseClaim(nodeFiles, layout.directory, claim.claim);
    await this.#index(file, committed, changes.row ?? {});
    return layout;
  }

  async #commit(layout: StoreLayout, claim: number, step: number): Promise<Committed> {
    const tensors = [{ name: 'dense/kernel', dtype: 'F32', shape: [4] }] as const;
    const commit = await beginCommit(nodeFiles, { layout, claim, tensors });
    await commit.append(new Uint8Array(new Float32Array([step, 1, 2, 3]).buffer));
    return commit.finish({
      state: '{}',
      facts: {
        step,
        epoch: Math.floor(step / 10),
        kinds: ['auto'],
        reason: null,
        parent: null,
        attempt: 1,
        metrics: { accuracy: 0.5 },
        backend: 'cpu',
        versions: {},
        trainer: null,
      },
    });
  }

  async #index(file: SessionFile, committed: readonly Committed[], row: Partial<SessionRow>): Promise<void> {
    const { database } = openSessions(this.home.database);
    const { cwd, trainer, args, name } = file.identity;
    try {
      await database.write(({ sessions, checkpoints }) => {
        sessions.upsert({
          id: file.id,
          name,
          state: file.state,
          trainer,
          args,
          cwd,
          root: this.home.checkpoints,
          backups: file.backups,
          createdAt: file.createdAt,
          updatedAt: file.updatedAt,
          attempts: file.attempts,
          epoch: null,
          step: file.lastStep,
          totalSteps: null,
          loss: null,
          bestMetric: null,
          supervisorPid: null,
          workerPid: null,
          sourceDigest: null,
          budget: file.budget,
          ...row,
        });
        for (const { manifest, path, bytes } of committed) {
          const { sequence, step, epoch, kinds, reason, createdAt, metrics, parent, attempt } = manifest;
          const digest = manifest.tensorsDigest;
          checkpoints.upsert({
            session: file.id,
            state: 'durable',
            ...{ sequence, step, epoch, kinds, reason, bytes, createdAt, digest, path, metrics, parent, attempt },
          });
        }
      });
    } finally {
      database.close();
    }
  }
}

function finished(
  file: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  input: string | null = null,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env, stdio: [input === null ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
    // A command may end before it has read what was typed.
    child.stdin?.on('error', () => undefined).end(input);
  });
}
