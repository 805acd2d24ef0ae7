import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { ProcessIdentity } from '../../src/checkpoint/types.ts';
import { adoptWorker } from '../../src/supervisor/adopt.ts';
import { attemptFiles } from '../../src/supervisor/attempt-files.ts';
import { BoundedWait } from '../../src/supervisor/bounded-wait.ts';
import type { LaunchSpec } from '../../src/supervisor/launch.ts';
import { emptyGroup } from '../../src/supervisor/process-group.ts';
import { fixtureCommand, launchSpec, workerFixture, written } from './launching.ts';

/** Launches from a process of its own, and kills that process: what is left is a worker without supervisor. */
async function launchByDeadSupervisor(spec: LaunchSpec): Promise<ProcessIdentity> {
  const script = fileURLToPath(new URL('../rig/launch-and-wait.mjs', import.meta.url));
  const supervisor = spawn(process.execPath, [script, JSON.stringify(spec)], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    supervisor.kill('SIGKILL');
  });
  const text = await new Promise<string>((resolve) => supervisor.stdout.once('data', (data) => resolve(String(data))));
  const ended = new Promise((resolve) => supervisor.once('exit', resolve));
  supervisor.kill('SIGKILL');
  await ended;
  return JSON.parse(text);
}

test('an adopted worker lives on, hears signals and tells how it ended', async () => {
  const spec = launchSpec({ trainer: workerFixture('handles-stop.mjs') });
  const group = await launchByDeadSupervisor(spec);
  await written(attemptFiles(spec.outputDirectory, 1).stdout, 'ready');
  const worker = adoptWorker(
    { attempt: 1, group, outputDirectory: spec.outputDirectory, resumedFrom: null },
    spec.session,
  );
  expect(worker.workerPid()?.pid).not.toBe(group.pid);
  expect(worker.signalGroup('SIGTERM')).toBe('sent');
  expect(await worker.ended).toEqual({ code: 75, signal: null, source: 'record' });
  expect(worker.signalGroup('SIGTERM')).toBe('gone');
  expect(worker.workerPid()).toBeNull();
});

test('a worker that ended while no supervisor lived left its record', async () => {
  const spec = launchSpec({ command: fixtureCommand('dies.mjs', 'SIGSEGV') });
  const group = await launchByDeadSupervisor(spec);
  const worker = adoptWorker(
    { attempt: 1, group, outputDirectory: spec.outputDirectory, resumedFrom: null },
    spec.session,
  );
  expect(await worker.ended).toEqual({ code: null, signal: 'SIGSEGV', source: 'record' });
});

test('a group that was killed whole has vanished', async () => {
  const spec = launchSpec({ command: fixtureCommand('deaf.mjs') });
  const group = await launchByDeadSupervisor(spec);
  await written(attemptFiles(spec.outputDirectory, 1).stdout, 'ready');
  const worker = adoptWorker(
    { attempt: 1, group, outputDirectory: spec.outputDirectory, resumedFrom: null },
    spec.session,
  );
  expect(await emptyGroup(worker.owned, new BoundedWait(10_000))).toBe(true);
  // Told at once when asked, not at the next look.
  worker.lookNow();
  expect(await Promise.race([worker.ended, Promise.resolve('still open')])).toEqual({
    code: null,
    signal: null,
    source: 'vanished',
  });
});

test('an output folder that is gone is no reason to fail', async () => {
  const spec = launchSpec({ command: fixtureCommand('exits.mjs', '0') });
  const group = await launchByDeadSupervisor(spec);
  rmSync(spec.outputDirectory, { recursive: true, force: true });
  const worker = adoptWorker(
    { attempt: 1, group, outputDirectory: spec.outputDirectory, resumedFrom: null },
    spec.session,
  );
  expect((await worker.ended).source).toBe('vanished');
});
