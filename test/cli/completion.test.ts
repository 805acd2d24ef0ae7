/** The completion scripts, in the shells that are here. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { COMMAND, World } from './world.ts';

const A = '20261122_120000_aaaa';

/** A folder to complete in, with the program in PATH as a shell has it. */
class ShellWorld extends World {
  constructor() {
    super();
    mkdirSync(join(this.directory, 'bin'));
    mkdirSync(join(this.directory, 'data set'));
    symlinkSync(COMMAND, join(this.directory, 'bin/nkat-recover'));
    for (const name of ['train.ts', 'notes.md', 'my train.mjs']) writeFileSync(join(this.directory, name), '');
  }

  path(): string {
    return `${join(this.directory, 'bin')}:${process.env.PATH}`;
  }

  /** What bash offers after these words, the last of which is being typed. */
  async offers(...words: readonly string[]): Promise<string[]> {
    const script = [
      'eval "$(nkat-recover completion bash)"',
      `COMP_WORDS=(nkat-recover ${words.map((word) => `'${word}'`).join(' ')})`,
      `COMP_CWORD=${words.length}`,
      '_nkat_recover',
      `printf '%s\\n' "\${COMPREPLY[@]}"`,
    ].join('\n');
    const { stdout, stderr } = await this.shell(script, { PATH: this.path() });
    expect(stderr).toBe('');
    return stdout.split('\n').filter((line) => line !== '');
  }
}

test('bash offers commands, options, choices, files and sessions', async () => {
  const world = new ShellWorld();
  await world.addSession(A, { row: { name: 'night' } });
  expect(await world.offers('')).toEqual(expect.arrayContaining(['run', 'resume', 'config', 'completion', '--help']));
  expect(await world.offers('res')).toEqual(['resume']);
  expect(await world.offers('', '')).toEqual([]);
  expect(await world.offers('run', '--save-ev')).toEqual(['--save-every', '--save-every-steps', '--save-every-epochs']);
  expect(await world.offers('run', '')).toEqual(
    expect.arrayContaining(['train.ts', 'my train.mjs', 'data set', 'bin']),
  );
  expect(await world.offers('run', '')).not.toContain('notes.md');
  expect(await world.offers('run', 'no')).toEqual(['notes.md']);
  expect(await world.offers('run', '--dir', '')).not.toContain('train.ts');
  expect(await world.offers('run', '--dir', 'da')).toEqual(['data set']);
  expect(await world.offers('run', '--keep', '')).toEqual([]);
  expect(await world.offers('run', '--keep', '3', 'tr')).toEqual(['train.ts']);
  expect(await world.offers('run', 'train.ts', '--ke')).toEqual([]);
  expect(await world.offers('run', 'train.ts', 'no')).toEqual(['notes.md']);
  expect(await world.offers('run', '--', 'nkat-rec')).toEqual(['nkat-recover']);
  // What bash makes of --dir=da and its like: = is a word of its own.
  expect(await world.offers('run', '--dir', '=', 'da')).toEqual(['data set']);
  expect(await world.offers('verify', '--level', '=')).toEqual(['0', '1', '2']);
  expect(await world.offers('verify', '--level', '=', '1')).toEqual(['1']);
  expect(await world.offers('run', '--keep', '=', '')).toEqual([]);
  expect(await world.offers('run', '--keep', '=', '3', 'tr')).toEqual(['train.ts']);
  expect(await world.offers('run', '--keep=3', '--dir=da')).toEqual(['--dir=data set']);
  expect(await world.offers('verify', '--level=')).toEqual(['--level=0', '--level=1', '--level=2']);
  expect(await world.offers('run', '--keep=3', 'tr')).toEqual(['train.ts']);
  expect(await world.offers('run', 'train.ts', '--data=da')).toEqual(['--data=data set']);
  expect(await world.offers('verify', '--level', '')).toEqual(['0', '1', '2']);
  expect(await world.offers('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  expect(await world.offers('resume', '')).toEqual(['latest', A, 'night']);
  expect(await world.offers('show', '2026')).toEqual([A]);
  expect(await world.offers('drill', '')).toEqual(['latest', A, 'night', 'schedule']);
  expect(await world.offers('drill', 'sch')).toEqual(['schedule']);
  expect(await world.offers('drill', '--his')).toEqual(['--history']);
  expect(await world.offers('drill', 'schedule', '--')).toEqual(
    expect.arrayContaining(['--cron', '--list', '--level']),
  );
  expect(await world.offers('drill', 'schedule', '--his')).toEqual([]);
  expect(await world.offers('drill', 'schedule', '--level', '')).toEqual(['1', '2', '3', 'replay']);
  expect(await world.offers('drill', 'schedule', 'ni')).toEqual(['night']);
  expect(await world.offers('resume', A, '--', 'tr')).toEqual(['train.ts']);
});

test('a name that a shell would take for more than a word is not offered', async () => {
  const careful = new ShellWorld();
  await careful.addSession(A, { row: { name: '$(touch pwned)' } });
  expect(await careful.offers('show', '')).toEqual(['latest', A]);
  expect((await careful.shell('ls')).stdout).not.toContain('pwned');
});

test('where there is no database, or a broken one, completion says nothing and makes nothing', async () => {
  const empty = new World();
  expect(await empty.cli(['complete-sessions'])).toEqual({
    code: 0,
    stdout: 'latest\tthe newest session\n',
    stderr: '',
  });
  expect((await empty.shell('ls home')).stdout).toBe('');
  mkdirSync(empty.home.database);
  expect(await empty.cli(['complete-sessions'])).toMatchObject({ code: 0, stderr: '' });
});

const shells = ['bash', 'zsh', 'fish'] as const;
const here = new Set<string>();
beforeAll(() => {
  for (const shell of shells) {
    try {
      execFileSync(shell, ['-c', 'true'], { stdio: 'ignore' });
      here.add(shell);
    } catch (error) {
      // Not installed: then only what the script holds is looked at.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
});

test.each(shells)('the script for %s holds every command, and its shell can read it', async (shell) => {
  const { stdout, code } = await new World().cli(['completion', shell]);
  expect(code).toBe(0);
  for (const word of ['run', 'resume', 'config', 'save-every', 'no-restart-codes', 'level'])
    expect(stdout).toContain(word);
  expect(stdout).toMatch(/schedule.*cron/s);
  expect(stdout).not.toContain('undefined');
  // By path: fish reads no script from its stdin where it is told to run nothing.
  const file = join(temporaryDirectory(), 'script');
  writeFileSync(file, stdout);
  if (here.has(shell)) execFileSync(shell, ['-n', file]);
});

test('another shell is refused with those that are known', async () => {
  const { code, stderr } = await new World().cli(['completion', 'tcsh']);
  expect(code).toBe(64);
  expect(stderr).toContain('bash, zsh, fish');
});

test('fish offers a command of a command, and behind it only what that takes', async ({ skip }) => {
  if (!here.has('fish')) skip('fish is not installed');
  const world = new ShellWorld();
  const offers = async (line: string): Promise<string[]> => {
    const script = `nkat-recover completion fish | source; complete -C ${JSON.stringify(line)}`;
    const { stdout } = await world.shell(`fish --no-config -c '${script}'`, { PATH: world.path() });
    return stdout.split('\n').map((text) => text.split('\t')[0] ?? '');
  };
  expect(await offers('nkat-recover drill sch')).toContain('schedule');
  expect(await offers('nkat-recover drill --')).toEqual(expect.arrayContaining(['--history', '--level']));
  const inside = await offers('nkat-recover drill schedule --');
  expect(inside).toEqual(expect.arrayContaining(['--cron', '--level']));
  expect(inside).not.toContain('--history');
});
