import { expect, test } from 'vitest';
import { describeTerminal, type TerminalSurroundings } from '../../src/cli/terminal.ts';
import { World } from './world.ts';

function terminal(changes: Partial<TerminalSurroundings> = {}) {
  const place = { isTTY: true, columns: 120 };
  return describeTerminal({
    stdin: place,
    stdout: place,
    stderr: place,
    environment: { TERM: 'xterm' },
    foreground: () => true,
    ...changes,
  });
}

test('a person is asked only where stdin and stderr are a terminal, in the foreground', () => {
  expect(terminal().interactive).toBe(true);
  expect(terminal({ stdin: {} }).interactive).toBe(false);
  expect(terminal({ stderr: {} }).interactive).toBe(false);
  expect(terminal({ foreground: () => false })).toMatchObject({ interactive: false, live: false });
  expect(terminal({ stdout: {} })).toMatchObject({ interactive: true, live: true, colourOut: false, colourErr: true });
});

test('NO_COLOR takes colours, TERM=dumb the live line too', () => {
  expect(terminal({ environment: { NO_COLOR: '1' } })).toMatchObject({
    live: true,
    colourOut: false,
    colourErr: false,
  });
  expect(terminal({ environment: { TERM: 'dumb' } })).toMatchObject({ live: false, colourErr: false });
});

test('FORCE_COLOR colours what is piped, before NO_COLOR; 0 takes colours', () => {
  const piped = { stdout: {}, stderr: {} };
  expect(terminal({ ...piped, environment: { FORCE_COLOR: '1', NO_COLOR: '1' } })).toMatchObject({
    live: false,
    colourOut: true,
    colourErr: true,
  });
  expect(terminal({ environment: { FORCE_COLOR: '0' } })).toMatchObject({ colourOut: false, colourErr: false });
  expect(terminal({ ...piped, environment: { FORCE_COLOR: '' } })).toMatchObject({ colourOut: false });
});

test('a terminal of no columns has no live line', () => {
  expect(terminal({ stderr: { isTTY: true, columns: 0 } })).toMatchObject({ live: false, interactive: true });
});

test('without a terminal nothing limits a line, unless COLUMNS does', () => {
  expect(terminal({ stdout: {} }).columnsOut()).toBeNull();
  expect(terminal({ stdout: {}, environment: { COLUMNS: '60' } }).columnsOut()).toBe(60);
  expect(terminal({ stderr: {} }).columnsErr()).toBe(80);
});

test('a job in the background of a terminal knows that it is one', async () => {
  const dist = new URL('../../dist/cli/terminal.js', import.meta.url).href;
  const look = `'${process.execPath}' -e "import('${dist}').then((m) => console.log('foreground ' + m.inForeground()))"`;
  // With job control each job has a process group of its own, as at a prompt.
  const { output } = await new World().onTerminal(['bash', '-mc', `${look}; ${look} & wait`]);
  expect(output.match(/foreground \w+/g)).toEqual(['foreground true', 'foreground false']);
});
