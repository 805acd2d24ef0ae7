/** A worker that prints or reports without measure: memory and disk stay bounded, what was dropped is told, training ends. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { EventNamed, SupervisorEvent } from '../../src/supervisor/events.ts';
import { COMMAND, testInWorld, type World } from './rig.ts';

const MIB = 1024 * 1024;
const MAX_MEMORY_MIB = 150;
/** How far the tail may be behind (256 MiB a stream), four logs of 16 MiB, and what the tail has not given back yet. */
const MAX_DISK_MIB = 256 + 4 * 16 + 32;
const LOOK_MS = 100;

/** A run whose output is looked at and not kept. */
interface Flooded {
  readonly code: number | null;
  readonly events: SupervisorEvent[];
  /** All of stdout and stderr, in characters. */
  readonly characters: number;
  readonly stderrTail: string;
  /** Most memory that the supervisor ever held. */
  readonly memoryMib: number;
  /** Most that output files and logs took on the disk at any look. */
  readonly diskMib: number;
  /** The same when it was over. */
  readonly leftMib: number;
}

function flooded(world: World, args: readonly string[]): Promise<Flooded> {
  const child = spawn(process.execPath, [COMMAND, 'run', ...args], {
    cwd: world.directory,
    env: world.environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const events: SupervisorEvent[] = [];
  let rest = '';
  let characters = 0;
  let stderrTail = '';
  let memoryMib = 0;
  let diskMib = 0;
  const look = (): void => {
    memoryMib = Math.max(memoryMib, peakMemoryMib(child.pid ?? 0));
    diskMib = Math.max(diskMib, blocksMib(join(world.home, 'logs')));
  };
  const timer = setInterval(look, LOOK_MS);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    characters += text.length;
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(0, MIB);
    for (const line of lines) {
      if (line.startsWith('{"version":1') && !line.includes('"name":"output"')) events.push(JSON.parse(line));
    }
    if (events.at(-1)?.name === 'session-ended') look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    characters += text.length;
    stderrTail = (stderrTail + text).slice(-MIB);
  });
  return new Promise((resolve) => {
    child.once('close', (code) => {
      clearInterval(timer);
      const leftMib = blocksMib(join(world.home, 'logs'));
      resolve({ code, events, characters, stderrTail, memoryMib, diskMib, leftMib });
    });
  });
}

function named<N extends SupervisorEvent['name']>({ events }: Flooded, name: N): EventNamed<N>[] {
  return events.filter((event): event is EventNamed<N> => event.name === name);
}

/** VmHWM; 0 when it has ended. Source: proc_pid_status(5). */
function peakMemoryMib(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}

/** What the files below a folder take on the disk, holes not counted. */
function blocksMib(folder: string): number {
  if (!existsSync(folder)) return 0;
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  return paths.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0), 0) / (MIB / 512);
}

const FLOODING = fileURLToPath(new URL('../../fixtures/trainers/flooding.mjs', import.meta.url));
const CHATTY = fileURLToPath(new URL('../../fixtures/workers/chatty.mjs', import.meta.url));

/** In MiB. By hand: NKAT_FLOOD_MIB=1024 makes it a GiB of lines. */
const LINES = process.env.NKAT_FLOOD_MIB ?? '96';
const OUTPUT = ['--steps', '20', '--lines-mib', LINES, '--short-mib', '4', '--binary-mib', '8', '--line-mib', '100'];

/** Far more than are kept, however slowly they come. */
const MESSAGES = 30_000;

for (const json of [false, true]) {
  const name = `${json ? '--json' : 'plain'}: lines, one of 100 MB, and binary bytes without end cost little memory and disk`;
  testInWorld(name, { timeout: 600_000 }, async ({ world }) => {
    const run = await flooded(world, [...(json ? ['--json'] : []), FLOODING, ...OUTPUT]);
    expect(run.code, run.stderrTail.slice(-2_000)).toBe(0);
    const { memoryMib, diskMib, leftMib } = run;
    expect({ memoryMib, isBounded: memoryMib > 0 && memoryMib < MAX_MEMORY_MIB }).toMatchObject({ isBounded: true });
    expect({ diskMib, isBounded: diskMib < MAX_DISK_MIB }).toMatchObject({ isBounded: true });
    expect({ leftMib, isBounded: leftMib < 4 * 16 + 32 }).toMatchObject({ isBounded: true });
    if (json) {
      expect(named(run, 'session-ended')[0]).toMatchObject({ outcome: 'completed' });
      expect(named(run, 'saved').at(-1)).toMatchObject({ step: 20 });
    }
    // What stands at the very end of stderr came through, whatever was before it.
    expect(log(world)).toContain('flooded, 20 steps');
  });
}

testInWorld(
  'a worker that floods its channel is read no faster than it is handled, and told what was dropped',
  async ({ world }) => {
    const run = await flooded(world, ['--json', '--', process.execPath, CHATTY, String(MESSAGES), '100000']);
    expect(log(world), run.stderrTail).toContain(`sent ${MESSAGES}`);
    expect({ memoryMib: run.memoryMib, isBounded: run.memoryMib < MAX_MEMORY_MIB }).toMatchObject({ isBounded: true });
    const notices = named(run, 'notice').map(({ message }) => message);
    expect(notices.join('\n')).toMatch(/reports faster than can be kept: \d+ of its messages were dropped/);
    expect(notices.join('\n')).toMatch(/a line from the worker was dropped \(malformed/);
    // Not a row, a line or a notice for each.
    expect(notices.length).toBeLessThan(2_000);
    expect(run.leftMib).toBeLessThan(16);
    // The newest word counts, and it came after all of them.
    expect(named(run, 'progress').at(-1)?.step).toBe(MESSAGES / 5 + 1);
    expect(named(run, 'worker-ended')).toHaveLength(1);
  },
);

function log(world: World): string {
  const folder = join(world.home, 'logs');
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('session.log'),
  );
  return paths.map((path) => readFileSync(join(folder, path), 'utf8')).join('');
}
