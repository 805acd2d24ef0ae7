/** The watch over Windows' power events, beside a program that stands in for its PowerShell. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { SupervisorEvent } from '../../src/supervisor/events.ts';
import { WindowsPowerWatch } from '../../src/supervisor/windows-power-watch.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { atTestEnd } from '../rig/test-end.ts';
import { waitFor } from '../rig/wait-for.ts';

interface Bench {
  readonly happened: string[];
  readonly watch: WindowsPowerWatch;
  /** What the next lines of the PowerShell are. */
  readonly say: (line: string) => void;
  readonly pids: () => number[];
}

/** @param script null: there is no such program */
function bench(script: 'tells' | 'fails-once' | null): Bench {
  const folder = temporaryDirectory();
  const lines = join(folder, 'lines');
  const pids = join(folder, 'pids');
  writeFileSync(lines, '');
  if (script !== null) {
    const failure =
      script === 'fails-once'
        ? `[ -e "${folder}/failed" ] || { : >"${folder}/failed"; echo no CIM here >&2; exit 1; }`
        : ':';
    const text = `#!/bin/sh\necho $$ >>"${pids}"\n${failure}\necho listening\nexec tail -n +1 -f "${lines}"\n`;
    writeFileSync(join(folder, 'powershell.exe'), text, { mode: 0o700 });
  }
  const happened: string[] = [];
  const watch = new WindowsPowerWatch({
    environment: { ...process.env, PATH: script === null ? folder : `${folder}:${process.env.PATH}` },
    tell: (event) => happened.push(wordsOf(event)),
    save: (going) => happened.push(`save before ${going}`) > 0,
    onWoke: (forMs) => happened.push(`deadlines armed anew: ${forMs > 0}`),
    nowMs: () => performance.now(),
  });
  atTestEnd(() => watch.close());
  return {
    happened,
    watch,
    say: (line) => appendFileSync(lines, `${line}\r\n`),
    pids: () => (existsSync(pids) ? readFileSync(pids, 'utf8').trim().split('\n').map(Number) : []),
  };
}

function wordsOf(event: SupervisorEvent): string {
  return event.name === 'notice' ? event.message : event.name;
}

it.concurrent('saves before a sleep, once; awake, which is said twice, deadlines are armed anew, once', async () => {
  const { happened, say, watch, pids } = bench('tells');
  for (const line of ['power 10', 'power 4', 'power 4', 'power 18', 'power 7', 'power 4']) say(line);
  await waitFor('the second sleep', () => happened.length >= 6);
  expect(happened).toEqual([
    'machine-going',
    'save before sleep',
    'deadlines armed anew: true',
    'machine-woke',
    'machine-going',
    'save before sleep',
  ]);
  const [pid = 0] = pids();
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  watch.close();
  await waitFor('the end of the program', () => !existsSync(`/proc/${pid}`));
});

it.concurrent('a PowerShell that fails is told with its own words, once, and started again', async () => {
  const { happened, say, pids } = bench('fails-once');
  await waitFor('another one', () => happened.length >= 2);
  expect(happened).toEqual([
    "nothing is heard of Windows' power events (no CIM here): before the machine sleeps nothing is saved",
    "Windows' power events are heard again",
  ]);
  say('power 4');
  await waitFor('the save', () => happened.includes('save before sleep'));
  expect(pids()).toHaveLength(2);
});

it.concurrent('where there is no PowerShell that is said, and nobody looks again', async () => {
  const { happened } = bench(null);
  await waitFor('the notice', () => happened.length > 0);
  expect(happened).toEqual([expect.stringMatching(/power events \(spawn powershell.exe ENOENT\)/)]);
});
