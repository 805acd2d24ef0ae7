/** Bad day 7: odd places, lost terminals and closed streams. Each is a place where somebody will run it. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { COMMAND, counter, testInWorld, type World } from './rig.ts';

const FIXTURES = fileURLToPath(new URL('../../fixtures/trainers', import.meta.url));
const PTY = fileURLToPath(new URL('../cli/pseudo_terminal.py', import.meta.url));
const SHORT = ['--epochs', '1', '--steps-per-epoch', '10', '--step-ms', '1', '--print-every', '1'];

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A line of bash, with the command as `"${nkat[@]}"`. */
function shell(world: World, script: string, environment: NodeJS.ProcessEnv = {}, input = ''): Promise<Finished> {
  const lines = `nkat=('${process.execPath}' '${COMMAND}')\n${script}`;
  const env = { ...world.environment(), ...environment };
  const child = spawn('bash', ['-c', lines], {
    cwd: world.directory,
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 150_000,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A command may end before it has read what was typed.
  child.stdin.on('error', () => undefined).end(input);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}

async function listed(world: World, home = world.home): Promise<{ state: string; step: number }[]> {
  const { sessions } = (await world.query(['list'], { NKAT_HOME: home })) as {
    sessions: { state: string; step: number }[];
  };
  return sessions;
}

testInWorld.concurrent.for([
  ['spaces, quotes, percent signs and other scripts', `a b%20'"#? ünïcödé 学習`],
  ['names of 200 characters', 'x'.repeat(200)],
] as const)('trainer, home, checkpoints and backups in folders with %s', async ([, odd], { world }) => {
  const place = (name: string) => join(world.directory, odd, name);
  mkdirSync(join(world.directory, odd));
  cpSync(FIXTURES, place(odd), { recursive: true });
  const home = place('home');
  const trainer = join(place(odd), 'counter.mjs');
  const run = world.start(
    ['run', '--json', '--dir', place('checkpoints'), '--backups', place('backups'), trainer, ...SHORT],
    COMMAND,
    { NKAT_HOME: home },
  );
  await run.ended(0);
  expect(run.outputLines().at(-1)).toContain('done');
  expect(await listed(world, home)).toMatchObject([{ state: 'completed', step: 10 }]);
  expect(await world.query(['verify', 'latest'], { NKAT_HOME: home })).toMatchObject({ damaged: [] });
  expect(readdirSync(place('backups')).filter((name) => !name.startsWith('.'))).toHaveLength(1);
});

/** Nobody: root would be refused nothing. */
const AS_NOBODY = 'setpriv --reuid=65534 --regid=65534 --clear-groups';

/** Null: we can become nobody, who can read the project. Else why not. */
function whyNotNobody(): string | null {
  if (process.getuid?.() !== 0)
    return 'only root can become somebody else, and whom nothing is refused cannot be refused';
  const [program = '', ...words] = [...AS_NOBODY.split(' '), process.execPath, COMMAND, '--version'];
  const { error, status, stderr } = spawnSync(program, words, { encoding: 'utf8' });
  if (error !== undefined) return `setpriv cannot be run: ${error.message}`;
  return status === 0 ? null : `nobody cannot run the command from here: ${stderr.trim().split('\n')[0]}`;
}

const whyNot = whyNotNobody();

function asNobody(name: string, work: (world: World) => Promise<void>): void {
  if (whyNot === null) testInWorld.concurrent(name, ({ world }) => work(world));
  else testInWorld.skip(`${name} (${whyNot})`, () => undefined);
}

asNobody(
  'a state home that may only be read: it is read, and said; a run is refused with 74 and what to do',
  async (world) => {
    const refused = async (words: readonly string[]) => {
      const { code, stderr } = await shell(world, `${AS_NOBODY} "\${nkat[@]}" ${quoted(words)}`);
      expect({ code, stderr }).toEqual({ code: 74, stderr: expect.stringContaining(world.home) });
      expect(stderr).toContain('NKAT_HOME');
    };
    chmodSync(world.directory, 0o755);
    await refused(['list']);
    await world.run(counter(SHORT), ['--name', 'night']).ended(0);
    await refused(['list']);
    const before = readdirSync(world.home);
    await shell(world, `chmod -R a+rX '${world.home}'`);
    await refused(['run', ...counter(SHORT)]);
    for (const words of ['list', 'show night', 'explain night', 'logs night', 'verify night']) {
      const { code, stdout, stderr } = await shell(world, `${AS_NOBODY} "\${nkat[@]}" ${words}`);
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('sessions are only read') });
      expect(stdout).toMatch(/night|checkpoint/);
    }
    expect((await shell(world, `${AS_NOBODY} "\${nkat[@]}" complete-sessions`)).stdout).toContain('night');
    expect(readdirSync(world.home)).toEqual(before);
  },
);

asNobody('a trainer in a folder that may not be written, by somebody whom no passwd file knows', async (world) => {
  const asUnknown = AS_NOBODY.replaceAll('65534', '65531');
  chmodSync(world.directory, 0o755);
  cpSync(FIXTURES, join(world.directory, 'trainers'), { recursive: true });
  mkdirSync(world.home);
  chmodSync(world.home, 0o777);
  const line = quoted([join(world.directory, 'trainers', 'counter.mjs'), ...SHORT]);
  const { code, stdout } = await shell(world, `cd trainers && ${asUnknown} "\${nkat[@]}" run -q ${line}`);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  expect(readdirSync(join(world.directory, 'trainers')).sort()).toEqual(readdirSync(FIXTURES).sort());
  const service = await shell(world, `${asUnknown} "\${nkat[@]}" service install --dry-run`);
  expect(service.stdout + service.stderr).not.toContain('internal error');
});

testInWorld.concurrent('without a terminal, with stdin closed, with every stream closed', async ({ world }) => {
  const line = quoted(counter(SHORT));
  const plain = await shell(world, `setsid -w "\${nkat[@]}" run ${line} <&-`);
  expect(plain.code).toBe(0);
  expect(plain.stdout).toContain('done');
  expect(plain.stderr).not.toContain('\u001b');
  expect((await shell(world, `setsid -w "\${nkat[@]}" run --new ${line} <&- >&- 2>&-`)).code).toBe(0);
  expect(await listed(world)).toMatchObject([{ state: 'completed' }, { state: 'completed' }]);
});

testInWorld.concurrent.for([
  ['run', `"\${nkat[@]}" run LINE 2>/dev/null | head -1; echo "\${PIPESTATUS[0]}"`],
  ['run --json', `"\${nkat[@]}" run --json LINE | head -1 >/dev/null; echo "\${PIPESTATUS[0]}"`],
  ['the words of run', `"\${nkat[@]}" run LINE 2>&1 >/dev/null | head -1 >/dev/null; echo "\${PIPESTATUS[0]}"`],
  ['a full disk as stdout', `"\${nkat[@]}" run LINE >/dev/full 2>/dev/full; echo $?`],
] as const)('%s into a reader that leaves: training goes on to its end', async ([, script], { world }) => {
  const { stdout } = await shell(world, script.replace('LINE', quoted(counter(SHORT))));
  expect(stdout.trim().split('\n').at(-1)).toBe('0');
  expect(await listed(world)).toMatchObject([{ state: 'completed', step: 10 }]);
});

testInWorld.concurrent(
  'list, show and their JSON into a reader that leaves: no word of an error',
  async ({ world }) => {
    await world.run(counter(SHORT)).ended(0);
    const { stdout, stderr } = await shell(
      world,
      ['list', 'show latest', 'list --json', 'show latest --json', 'explain latest']
        .map((words) => `"\${nkat[@]}" ${words} | head -c 5 >/dev/null; echo "\${PIPESTATUS[0]}"`)
        .join('\n'),
    );
    expect({ stdout, stderr }).toEqual({ stdout: '0\n0\n0\n0\n0\n', stderr: '' });
  },
);

testInWorld.concurrent(
  'an answer that finds no room on stdout: 74 with words, never a short answer that looks whole',
  async ({ world }) => {
    const { stdout, stderr } = await shell(
      world,
      ['list', 'list --json', '--help', 'completion bash', 'config --json']
        .map((words) => `"\${nkat[@]}" ${words} >/dev/full; echo $?`)
        .join('\n'),
    );
    expect(stdout).toBe('74\n'.repeat(5));
    expect(stderr.match(/the output could not be written: .*ENOSPC/g)).toHaveLength(5);
  },
);

/** On a terminal of its own; the script as in `pseudo_terminal.py`. */
async function onTerminal(
  world: World,
  args: readonly string[],
  script: readonly object[],
  environment: NodeJS.ProcessEnv = {},
) {
  const argv = [process.execPath, COMMAND, ...args];
  const env = { ...world.environment(), TERM: 'xterm', ...environment };
  const spec = JSON.stringify({ argv, cwd: world.directory, env, columns: 100, script });
  const { stdout, stderr } = await shell(world, `python3 '${PTY}'`, {}, spec);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as { output: string; code: number };
}

testInWorld.concurrent(
  'a terminal that is lost in mid-save: the save is finished, the stop is one with a verified save',
  async ({ world }) => {
    const line = world.endless(['--size-mib', '64']);
    const { code } = await onTerminal(
      world,
      ['run', '--save-every-steps', '30', ...line],
      [{ wait: 'Saving step', hangup: true }],
    );
    expect(code).toBe(75);
    expect(await listed(world)).toMatchObject([{ state: 'interrupted' }]);
    expect(await world.query(['verify', 'latest'])).toMatchObject({ damaged: [] });
  },
);

testInWorld.concurrent('nohup on a terminal that closes: it trains on', async ({ world }) => {
  const line = quoted(world.endless(['--print-every', '1']));
  const { code } = await shell(
    world,
    `nohup "\${nkat[@]}" run ${line} >out 2>err & run=$!
     until grep -q 'step 3 ' out; do sleep 0.05; done
     kill -HUP $run
     lines=$(wc -l <out); until [ $(wc -l <out) -gt $((lines + 20)) ]; do sleep 0.05; done
     touch enough; wait $run`,
  );
  expect(code).toBe(0);
  expect(await listed(world)).toMatchObject([{ state: 'completed' }]);
});

testInWorld.concurrent(
  'colours: none with NO_COLOR, none and no live line on a dumb terminal, some in a pipe with FORCE_COLOR',
  async ({ world }) => {
    const line = ['run', ...counter(SHORT)];
    const plain = await onTerminal(world, line, [], { NO_COLOR: '1', FORCE_COLOR: '' });
    expect(plain.output).toContain('Completed');
    expect(plain.output.includes('\u001b[3')).toBe(false);
    const dumb = await onTerminal(world, [...line, '--seed', '2'], [], { TERM: 'dumb', NO_COLOR: '', FORCE_COLOR: '' });
    expect(dumb.output).toContain('Completed');
    expect(dumb.output.includes('\u001b')).toBe(false);
    const forced = await shell(world, `"\${nkat[@]}" run --new ${quoted(counter(SHORT))} 2>&1 >/dev/null`, {
      FORCE_COLOR: '1',
      NO_COLOR: '',
    });
    expect(forced.stderr + forced.stdout).toContain('\u001b[3');
  },
);

testInWorld.concurrent('a Ctrl-C that comes twice, as npx hands it on: one stop, with its save', async ({ world }) => {
  const { output, code } = await onTerminal(
    world,
    ['run', '--save-every', 'off', ...world.endless()],
    // Not in one piece: signals that wait together are one.
    [{ wait: 'step ', send: '\u0003', again_after_s: 0.03 }],
  );
  expect(code).toBe(75);
  expect(output).not.toContain('SIGTERM sent');
});
