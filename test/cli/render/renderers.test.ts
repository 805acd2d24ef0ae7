/** The three ways to show a run, on a real terminal and without one. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { SupervisorEvent } from '../../../src/supervisor/events.ts';
import { World } from '../world.ts';
import { chosen, ended, killed, opened, progress, SESSION, saveFacts, started, verifying } from './events.ts';

const PLAY = fileURLToPath(new URL('play.mjs', import.meta.url));
const DIST = fileURLToPath(new URL('../../../dist', import.meta.url));
const ESC = String.fromCharCode(27);
/** Colours; the rest of the escapes moves the cursor. */
const SGR = new RegExp(`${ESC}\\[[0-9;]*m`);

const RUN: readonly SupervisorEvent[] = [
  opened,
  { ...started, sequence: null, step: 0, epoch: 0, attempt: 1 },
  { name: 'progress', ...progress },
  { name: 'progress', ...progress, step: 1300 },
  { name: 'output', stream: 'stdout', line: 'a line of the trainer' },
  { name: 'output', stream: 'stderr', line: 'a warning of the trainer' },
  { name: 'saved', ...saveFacts },
  killed,
  chosen,
  { name: 'attempt-started', attempt: 2, pid: 7 },
  started,
  { name: 'recovered', attempt: 2, step: 3202, downMs: 1_200 },
  { name: 'stop-requested', signal: 'SIGINT', stage: 'saving', deadlineMs: 60_000, lastStepAgeMs: null },
  { name: 'progress', ...progress, step: 3300 },
  ended({ outcome: 'stopped-saved' }),
];

interface Play {
  readonly events?: readonly SupervisorEvent[];
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** Each progress stays until it was drawn. */
  readonly drawn?: boolean;
  /** Another job has the terminal. */
  readonly hidden?: boolean;
}

function argumentsOf(play: Play): string[] {
  return [process.execPath, PLAY, DIST, JSON.stringify({ events: RUN, ...play })];
}

function shown(play: Play, environment: Readonly<Record<string, string>> = {}) {
  const quoted = argumentsOf(play).map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  return new World().shell(quoted.join(' '), environment);
}

test('without a terminal: one line an event on stderr, the output of the worker on its own streams', async () => {
  const { code, stdout, stderr } = await shown({});
  expect(code).toBe(0);
  expect(stdout).toBe('a line of the trainer\n');
  for (const fact of [
    SESSION,
    'a warning of the trainer',
    'Attempt 1 was killed',
    'checkpoint 12',
    'Recovered in',
    'SIGINT',
    'resume',
  ]) {
    expect(stderr).toContain(fact);
  }
  expect(stderr).toContain('Checkpoint 14 is durable');
  expect(stderr.split('\n').filter((text) => text.startsWith('epoch 4/10'))).toHaveLength(1);
  expect(stderr).not.toContain(ESC);
});

test('quiet keeps crashes and the end and leaves progress and output out', async () => {
  const { stdout, stderr } = await shown({ quiet: true });
  expect(stdout).toBe('');
  for (const fact of ['Attempt 1 was killed', 'Recovered', 'Stopped with a verified save'])
    expect(stderr).toContain(fact);
  for (const routine of ['epoch 4/10', 'trainer\n', 'durable', 'Log in']) expect(stderr).not.toContain(routine);
});

test('JSON: one object an event on stdout, nothing else anywhere', async () => {
  const { stdout, stderr } = await shown({ json: true });
  expect(stderr).toBe('');
  const parsed = stdout
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as { version: number; at: string; name: string });
  expect(parsed.map(({ name }) => name)).toEqual(RUN.map(({ name }) => name));
  for (const { version, at } of parsed) expect([version, new Date(at).toISOString()]).toEqual([1, at]);
});

test('on a terminal one line is rewritten in place, events and output stand above it', async () => {
  const { output, code } = await new World().onTerminal(argumentsOf({ drawn: true }));
  expect(code).toBe(0);
  for (const fact of [
    'step 1300/4690',
    'a line of the trainer',
    'a warning of the trainer',
    'Attempt 1 was killed',
    'stopping: saving',
  ]) {
    expect(output).toContain(fact);
  }
  expect(output).toMatch(SGR);
  // Routine saves only show as the age of the last one.
  expect(output).not.toContain('is durable');
  // In the end the live line is gone and the cursor was never hidden.
  const last = screenOf(output, 100).filter((text) => text !== '');
  expect(last.some((text) => text.includes('steps/s'))).toBe(false);
  expect(last.at(-1)).toContain(`nkat-recover resume ${SESSION}`);
  expect(output).not.toContain(`${ESC}[?25l`);
});

test('on a terminal without a live line, what the worker prints neither empties, moves nor retitles it', async () => {
  const lines = [`a${ESC}[2Jb`, `c${ESC}]0;title\u0007d`, `e${ESC}[3Af`];
  const events = (['stdout', 'stderr'] as const).flatMap((stream) =>
    lines.map((line): SupervisorEvent => ({ name: 'output', stream, line })),
  );
  const { output } = await new World().onTerminal(argumentsOf({ events }), { environment: { TERM: 'dumb' } });
  expect(output).toContain('ab');
  expect(output.replaceAll(new RegExp(SGR, 'g'), '')).not.toContain(ESC);
});

test('while another job has the terminal the live line is not drawn either', async () => {
  const { output, code } = await new World().onTerminal(
    argumentsOf({ events: [{ name: 'progress', ...progress }], hidden: true }),
  );
  expect({ output, code }).toEqual({ output: '', code: 0 });
});

test('NO_COLOR and TERM=dumb are obeyed', async () => {
  const plain = await new World().onTerminal(argumentsOf({ drawn: true }), { environment: { NO_COLOR: '1' } });
  expect(plain.output).toContain('step 1300/4690');
  expect(plain.output).not.toMatch(SGR);
  const dumb = await new World().onTerminal(argumentsOf({}), { environment: { TERM: 'dumb' } });
  expect(dumb.output).toContain('Recovered');
  expect(dumb.output).not.toContain(ESC);
});

test('the live line never wraps, not even where its parts just fill the screen', async () => {
  const { output } = await new World().onTerminal(
    argumentsOf({ events: [{ name: 'progress', ...progress }], drawn: true }),
    { columns: 29 },
  );
  const drawn = output
    .split(new RegExp(`\\r|\\n|${ESC}\\[1G`))
    .map((text) => text.replace(new RegExp(`${ESC}\\[[0-9;?]*[A-Za-z]`, 'g'), ''));
  expect(drawn.some((text) => text.includes('step 1204'))).toBe(true);
  for (const text of drawn) expect(text.length).toBeLessThan(29);
});

test('a lost screen silences the words and nothing else', async () => {
  const events = Array.from(
    { length: 2_000 },
    (_, n): SupervisorEvent => ({ name: 'output', stream: 'stdout', line: `line ${n}` }),
  );
  const quoted = argumentsOf({ events: [...events, ...RUN] }).map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const { stdout, stderr } = await new World().shell(
    `${quoted.join(' ')} 2>err.txt | head -1; echo $PIPESTATUS; tail -1 err.txt`,
  );
  expect(stdout).toMatch(/^line 0\n0\nRun the same line again/);
  expect(stderr).toBe('');
});

test('output files of the trainer keep their lines when only stderr is a terminal', async () => {
  const world = new World();
  const script = `${process.execPath} '${PLAY}' '${DIST}' "$1" > '${join(world.directory, 'out.txt')}'; cat -A '${join(world.directory, 'out.txt')}'`;
  const { output } = await world.onTerminal(['bash', '-c', script, 'bash', JSON.stringify({ events: RUN })]);
  expect(output).toContain('a line of the trainer$');
});

/** What a terminal shows in the end: rows of text after carriage returns, line clears and cursor moves. */
function screenOf(output: string, columns: number): string[] {
  const rows: string[] = [''];
  let row = 0;
  let column = 0;
  const tokens = output.matchAll(new RegExp(`${ESC}\\[([0-9;?]*)([A-Za-z])|\\r|\\n|[^${ESC}\\r\\n]+`, 'g'));
  for (const [token, parameter = '', command] of tokens) {
    const amount = Number(parameter) || 0;
    if (command === 'K') rows[row] = amount === 2 ? '' : (rows[row] ?? '').slice(0, column);
    else if (command === 'G') column = Math.max(0, amount - 1);
    else if (command === 'A') row = Math.max(0, row - (amount || 1));
    else if (token === '\r') column = 0;
    else if (token === '\n') rows[++row] ??= '';
    else if (command === undefined) {
      const text = (rows[row] ?? '').padEnd(column);
      rows[row] = (text.slice(0, column) + token + text.slice(column + token.length)).slice(0, columns * 4);
      column += token.length;
    }
  }
  return rows;
}

test('a long look at a checkpoint: lines from 5 s on, not each second, none with --quiet; JSON has them all', async () => {
  const events = [{ ...verifying, elapsedMs: 1_000 }, verifying, { ...verifying, elapsedMs: 7_000 }];
  const { stderr } = await shown({ events });
  expect(stderr).toBe('Still verifying checkpoint 12: 3.1 GB of 9.8 GB\n');
  expect((await shown({ events, quiet: true })).stderr).toBe('');
  const { stdout } = await shown({ events, json: true });
  const parsed = stdout
    .trimEnd()
    .split('\n')
    .map((text): unknown => JSON.parse(text));
  expect(parsed).toMatchObject(events);
  const { output } = await new World().onTerminal(
    argumentsOf({ events: [verifying, { name: 'progress', ...progress }], drawn: true }),
  );
  expect(output).toContain('verifying checkpoint 12: 3.1 GB of 9.8 GB');
});
