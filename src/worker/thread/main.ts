/** Entry of the SDK's thread. */
import { readFileSync, writeSync } from 'node:fs';
import { type MessagePort, workerData } from 'node:worker_threads';
import { nodeFiles } from '../../checkpoint/files.ts';
import { ControlBlock } from '../control-block.ts';
import { ThreadCore } from './core.ts';
import { lowerThreadPriority } from './low-priority.ts';
import type { ThreadStart } from './messages.ts';
import type { SessionOwner, SessionSide } from './session-side.ts';
import { SupervisedSession } from './supervised-session.ts';

const STDERR = 2;

const { start, port } = workerData as { start: ThreadStart; port: MessagePort };
lowerThreadPriority();
const sdk = ownVersion();
const core = new ThreadCore({
  files: nodeFiles,
  port,
  control: new ControlBlock(start.control),
  mode: start.mode.kind,
  resumed: start.resumed,
  versions: { node: process.versions.node, 'nkat-recover': sdk },
  side: await sideOf(start),
});
core.start();

async function sideOf({ mode, resumed }: ThreadStart): Promise<(owner: SessionOwner) => SessionSide> {
  if (mode.kind === 'supervised') return (owner) => new SupervisedSession(mode, resumed, sdk, owner);
  // Only now: what a trainer needs to run alone would slow the start of a supervised one.
  const { AloneSession } = await import('./alone-session.ts');
  return (owner) => new AloneSession({ files: nodeFiles, mode, resumed, owner, say });
}

function ownVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function say(line: string): void {
  try {
    // Synchronously: a thread's own stderr travels through the main thread, which may be blocked.
    writeSync(STDERR, `nkat-recover: ${line}\n`);
  } catch {
    // A closed stderr must not stop the saves; the same facts stand in session.json and the store.
  }
}
