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
