/** Carries the steps of a service plan out, or says what they would be; each is told as it is done. */

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf, messageOf, NkatError } from '../../errors.ts';
import { makeDirectory } from '../../make-directory.ts';
import { findEntry, putEntry, readCrontab, removeEntry, writeCrontab } from '../../power/crontab.ts';
import type { ServiceStep } from '../../power/service-plan.ts';
import { runProgram } from '../../run-program.ts';
import { type Line, line } from '../render/line.ts';

/** systemctl waits for a bus that may be slow at boot. */
const COMMAND_MS = 60_000;

export interface Carrying {
  readonly dryRun: boolean;
  readonly environment: NodeJS.ProcessEnv;
  readonly say: (line: Line) => void;
}

/** @throws NkatError `io`, `preflight` where a step fails that the service needs */
export async function carryOut(steps: readonly ServiceStep[], carrying: Carrying): Promise<void> {
  for (const step of steps) await one(step, carrying);
}

async function one(step: ServiceStep, carrying: Carrying): Promise<void> {
  const { dryRun, say } = carrying;
  switch (step.kind) {
    case 'write': {
      const isThere = readIfAny(step.path) === step.text;
      if (isThere) return say(line(`${step.path} is as it should be`));
      if (!dryRun) write(step.path, step.text);
      say(line(dryRun ? `Would write ${step.path}:` : `Wrote ${step.path}`));
      if (dryRun) say(line(indented(step.text), 'faint'));
      return;
    }
    case 'remove': {
      if (readIfAny(step.path) === null) return say(line(`${step.path} is not there`));
      if (!dryRun) changing(step.path, () => rmSync(step.path));
      return say(line(`${dryRun ? 'Would remove' : 'Removed'} ${step.path}`));
    }
    case 'cron-entry':
      return changeCrontab(step.name, step.entry, carrying);
    case 'command': {
      const words = step.words.join(' ');
      if (dryRun) return say(line(`Would run: ${words}`));
      const failure = await run(step.words, carrying.environment);
      if (failure === null) return say(line(`Ran: ${words}`));
      if (step.otherwise === null) {
        throw new NkatError(`${words}: ${failure}`, { code: 'preflight', operation: 'change the services' });
      }
      return say(line(`${words}: ${failure}; so ${step.otherwise}`, 'warning', 'always'));
    }
    default:
      throw new TypeError(`no such step: ${JSON.stringify(step satisfies never)}`);
  }
}

async function changeCrontab(name: string, entry: string | null, carrying: Carrying): Promise<void> {
  const { dryRun, environment, say } = carrying;
  const before = await readCrontab(environment);
  const present = findEntry(before, name);
  const after = entry === null ? removeEntry(before, name) : putEntry(before, name, entry);
  if (after === before)
    return say(line(entry === null ? 'The crontab has no entry of it' : 'The crontab has it already'));
  if (!dryRun) await writeCrontab(after, environment);
  const did =
    entry === null
      ? ['Would take from', 'Took from']
      : present === null || present === entry
        ? ['Would put into', 'Put into']
        : ['Would change in', 'Changed in'];
  say(line(`${did[dryRun ? 0 : 1]} the crontab:`));
  if (present !== null && present !== entry) say(line(indented(`- ${present}`), 'faint'));
  if (entry !== null) say(line(indented(present === null || present === entry ? entry : `+ ${entry}`), 'faint'));
}

/** Null: it ended with 0. */
async function run(words: readonly string[], environment: NodeJS.ProcessEnv): Promise<string | null> {
  const { failure, stderr } = await runProgram(words, environment, COMMAND_MS);
  if (failure === null) return null;
  return errnoOf(failure) === 'ENOENT' ? 'there is no such program' : stderr || messageOf(failure);
}

/** In one step: a unit that is half written would be read so at the next boot. */
function write(path: string, text: string): void {
  changing(path, () => {
    makeDirectory(dirname(path));
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  });
}

/** @throws NkatError `io` */
export function readIfAny(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw refusal(path, error);
  }
}

function changing(path: string, change: () => void): void {
  try {
    change();
  } catch (error) {
    throw refusal(path, error);
  }
}

function refusal(path: string, cause: unknown): unknown {
  if (errnoOf(cause) === null) return cause;
  return new NkatError(messageOf(cause), { code: 'io', operation: 'change the services', path, cause });
}

function indented(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((one) => `    ${one}`.trimEnd())
    .join('\n');
}
