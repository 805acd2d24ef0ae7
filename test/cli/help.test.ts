/** Every command that there is: help with examples and exit codes; every refusal: a hint. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { buildProgram } from '../../src/cli/command-tree.ts';
import type { CommandContext } from '../../src/cli/context.ts';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { runProgram } from '../../src/cli/program.ts';
import { errorJson, errorWords } from '../../src/cli/render/error-words.ts';
import { type ErrorCode, NkatError } from '../../src/errors.ts';
import { stateHome } from '../../src/home.ts';

function recorder() {
  const said = { out: '', err: '' };
  const context: CommandContext = {
    home: stateHome({ NKAT_HOME: '/nowhere' }),
    cwd: '/',
    environment: {},
    stdin: new PassThrough(),
    streams: {
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
      draw: () => undefined,
      outSlowly: () => Promise.resolve(),
      outFailure: () => Promise.resolve(null),
      outLost: () => false,
      spoolOut: () => undefined,
      onErrLost: () => undefined,
      takeLeftOut: () => 0,
    },
    terminal: {
      interactive: false,
      live: false,
      colourOut: false,
      colourErr: false,
      liveOut: false,
      columnsOut: () => null,
      rowsOut: () => null,
      columnsErr: () => 80,
    },
    signals: { listen: () => undefined, close: () => undefined },
    clocks: { now: () => 0, monotonic: () => 0 },
  };
  return { said, context };
}

const commands: readonly Command[] = (() => {
  const program = buildProgram(recorder().context, [], null, () => undefined);
  return program.createHelp().visibleCommands(program);
})();

test.each(commands.map((command) => [command.name(), command] as const))(
  '%s --help has a description, examples that are its own, and exit codes',
  async (name, command) => {
    const { said, context } = recorder();
    expect(await runProgram([name, '--help'], context)).toBe(0);
    expect(command.description()).not.toBe('');
    const [, examples = ''] = said.out.split('\nExamples:\n');
    expect(examples).toContain(
      `  nkat-recover ${name}`.replace('  nkat-recover completion', 'nkat-recover completion'),
    );
    for (const { code, meaning } of EXIT_CODES) expect(examples).toContain(`${String(code).padStart(3)}  ${meaning}`);
    for (const option of command.options) expect(option.description, option.flags).not.toBe('');
    expect(said.out).toContain('--help');
  },
);

test.each(commands.map((command) => [command.name(), command] as const))(
  '%s tells wrong usage in a line, and what helps in another',
  async (name, command) => {
    const needed = command.registeredArguments.filter(({ required }) => required);
    const valued = command.options.filter((option) => option.required && !option.negate).slice(0, 1);
    const lines = [
      [name, '--no-such-option'],
      ...needed.map(() => [name]),
      ...valued.flatMap(({ long }) => (long ? [[name, long]] : [])),
    ];
    for (const argv of lines) {
      const { said, context } = recorder();
      expect(await runProgram(argv, context), argv.join(' ')).toBe(64);
      expect(said.err).toMatch(/^nkat-recover: .+\n/);
      expect(said.err).toContain(`See nkat-recover ${name} --help.`);
      expect(said.out).toBe('');
    }
  },
);

test.each([
  ['lsit', 'list'],
  ['resum', 'resume'],
  ['cofnig', 'config'],
])('the unknown command %s is told with the nearest one', async (word, nearest) => {
  const { said, context } = recorder();
  expect(await runProgram([word], context)).toBe(64);
  expect(said.err).toContain(`unknown command '${word}'`);
  expect(said.err).toContain(`Did you mean ${nearest}?`);
});

/** The words of the type, read from its source: a type has no list of its own. */
const ERROR_CODES = [
  ...(/export type ErrorCode =([^;]+);/.exec(readFileSync('src/errors.ts', 'utf8'))?.[1] ?? '').matchAll(/'([\w-]+)'/g),
].map(([, code]) => code as ErrorCode);

test('every code of a refusal has a hint, for a person and for a program', () => {
  expect(ERROR_CODES.length).toBeGreaterThan(20);
  for (const code of ERROR_CODES) {
    const error = new NkatError('it is so', { code, operation: 'do it' });
    const [first, hint, ...more] = errorWords(error).map(({ text }) => text);
    expect(first).toBe('nkat-recover: cannot do it: it is so');
    expect(hint, code).toMatch(/^[A-Z0-9n].{10,}\.$/);
    expect(more).toEqual([]);
    expect(errorJson(error)).toMatchObject({ error: { code, hint } });
  }
});

test('what a refusal quotes cannot move the cursor or colour the screen', () => {
  const text = 'a\u001b[31mb\u009b2Jc\u0007\nd';
  const error = new NkatError(text, { code: 'io', operation: 'do it', hint: text });
  for (const { text: shown } of errorWords(error)) expect(shown.replace('\n', '')).not.toMatch(/\p{Cc}/u);
});

test('what the help shows loads neither the schemas nor the database nor the YAML library', () => {
  const seen = new Set<string>();
  const heavy: string[] = [];
  const follow = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, type, target = ''] of text.matchAll(/^(?:import|export) (type )?[^;]*?from '([^']+)';/gm)) {
      if (type !== undefined) continue;
      if (/^(zod|yaml|better-sqlite3|pino|ora|chokidar)$/.test(target)) heavy.push(`${file}: ${target}`);
      if (target.startsWith('.')) follow(join(file, '..', target));
    }
  };
  follow('src/cli/main.ts');
  follow('src/cli/program.ts');
  follow('src/cli/terminal.ts');
  expect(heavy).toEqual([]);
  expect(seen.size).toBeGreaterThan(8);
  expect(readdirSync('src/cli/commands').filter((name) => seen.has(join('src/cli/commands', name)))).toEqual([]);
});

test('a program that asks for JSON hears of its wrong usage in JSON', async () => {
  for (const argv of [
    ['list', '--json', '--nope'],
    ['list', '--json', '--limit', '0'],
    ['logs', '--level', 'loud', '--json'],
  ]) {
    const { said, context } = recorder();
    expect(await runProgram(argv, context)).toBe(64);
    expect(JSON.parse(said.out)).toMatchObject({
      version: 1,
      error: { code: 'usage', hint: `See nkat-recover ${argv[0]} --help.`, message: expect.any(String) },
    });
  }
});

test.each([
  ['list', '--limit', '0'],
  ['save', '--timeout', 'soon'],
  ['config', '--keep', 'many'],
  ['logs', '--attempt', 'x'],
])('a value of %s that means nothing is answered with its own help', async (...argv) => {
  const { said, context } = recorder();
  expect(await runProgram(argv, context)).toBe(64);
  expect(said.err).toContain(`See nkat-recover ${argv[0]} --help.`);
});
