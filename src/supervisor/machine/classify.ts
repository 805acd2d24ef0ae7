/** Why a worker ended: a pure conclusion from what was seen (design section 3, "Exit classification"). */

import { fullCardLine } from '../../gpu/policy/card-memory-words.ts';
import type { Evidence, WorkerEnd } from '../worker-end.ts';
import { fullHeap } from './full-heap.ts';
import { tellsOfFullDisk } from './shortage.ts';

export type ExitClass =
  | 'completed'
  | 'fatal'
  | 'requested'
  | 'interrupted'
  | 'config'
  | 'host-oom'
  | 'heap-oom'
  | 'killed'
  | 'native-crash'
  | 'error'
  | 'diverged'
  | 'disk-full'
  | 'hang'
  | 'vanished'
  | 'power-cut'
  | 'overheated'
  | 'gpu-lost'
  | 'gpu-oom';

export interface Classification {
  readonly class: ExitClass;
  /** One sentence: how we know. */
  readonly reason: string;
  /** What the operator can do about it; missing: nothing in particular. */
  readonly hint?: string;
}

export interface EndFacts {
  readonly end: WorkerEnd;
  readonly evidence: Evidence;
  /** Our own launch failed before there was a process. */
  readonly spawnError: string | null;
  /** The boot changed while the attempt ran. */
  readonly bootChanged: boolean;
  readonly connected: boolean;
  /** From the launch to the end. */
  readonly ranMs: number;
  readonly done: boolean;
  /** True once any attempt of the session made a step. */
  readonly everStepped: boolean;
  /** The operator's signal that this end answers; null: nobody asked. */
  readonly stopSignal: string | null;
  /** Who asked, where it was no signal. */
  readonly stopReason?: string | null;
  /** Milliseconds of silence for which we ended it; null: we did not. */
  readonly hungForMs: number | null;
  /** Why we stopped it for a card that was too hot; null or missing: we did not. */
  readonly overheated?: string | null;
  readonly diverged: { readonly step: number; readonly loss: string } | null;
  /** Why the save that was to answer the stop failed; null: it did not. */
  readonly stopFailure: string | null;
  readonly noRestartCodes: readonly number[];
  /** It takes smaller batches where a card's memory was full. */
  readonly adaptsBatch?: boolean;
}

/** Exit codes of the worker's side of the contract. */
export const WORKER_FATAL = 93;
export const WORKER_RESTART = 75;
/** sysexits EX_CONFIG: it was changed so that its checkpoint does not fit it, or it is set up wrongly. */
export const WORKER_CONFIG = 78;

const NATIVE_CRASHES: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP']);

/** Total over every combination of facts; the order of the rules is the order of certainty. */
export function classify(facts: EndFacts): Classification {
  const { end } = facts;
  if (facts.spawnError !== null) return { class: 'config', reason: facts.spawnError };
  if (facts.bootChanged) return { class: 'power-cut', reason: 'the machine was booted again while it ran' };
  if (end.code === 0 && facts.done) return { class: 'completed', reason: 'it reported done and exited 0' };
  if (facts.diverged !== null) {
    return { class: 'diverged', reason: `the loss became ${facts.diverged.loss} at step ${facts.diverged.step}` };
  }
  if (facts.stopSignal !== null) {
    const { stopReason = null } = facts;
    const by = stopReason === null ? `on ${facts.stopSignal}` : `by ${stopReason}`;
    const why = facts.stopFailure === null ? '' : `, and the emergency save failed (${facts.stopFailure})`;
    return { class: 'interrupted', reason: `stopped ${by}${why}` };
  }
  const loss = facts.evidence.card?.loss ?? null;
  if (loss !== null) return { class: 'gpu-lost', reason: loss.words, hint: loss.hint };
  if (facts.overheated != null) return { class: 'overheated', reason: `stopped by us: ${facts.overheated}` };
  if (facts.hungForMs !== null) {
    return { class: 'hang', reason: `no step for ${Math.round(facts.hungForMs / 1000)} s, so we ended it` };
  }
  if (end.source === 'vanished') {
    if (facts.evidence.oomRecord !== null) return outOfMemory('its whole group was killed', facts.evidence.oomRecord);
    return { class: 'vanished', reason: 'it ended while no supervisor watched, and left no exit record' };
  }
  const heap = fullHeap(end, facts.evidence.stderrTail);
  if (heap !== null) return { class: 'heap-oom', ...heap };
  return end.signal === null ? classifyCode(facts, end.code ?? 0) : classifySignal(facts, end.signal);
}

/** A script without the SDK tells of no steps; what lasts this long has got past its start. */
const STARTED_MS = 10_000;

function worksWithoutSdk({ connected, ranMs }: EndFacts): boolean {
  return !connected && ranMs >= STARTED_MS;
}

function classifyCode(facts: EndFacts, code: number): Classification {
  if (code === 0) {
    const reason = facts.connected ? 'it exited 0 without reporting done' : 'it exited 0';
    return { class: 'completed', reason };
  }
  if (code === WORKER_FATAL) return { class: 'fatal', reason: `exit code ${code}: do not retry` };
  if (facts.noRestartCodes.includes(code)) return { class: 'fatal', reason: `exit code ${code} is a no-restart code` };
  if (code === WORKER_RESTART) return { class: 'requested', reason: `exit code ${code}: it asked to be restarted` };
  const said = thrownLine(facts.evidence.stderrTail);
  const thrown = said === null ? '' : ` (${said})`;
  if (code === WORKER_CONFIG) {
    const refused = refusedLine(facts.evidence.stderrTail);
    const why = refused === null ? thrown : ` (${refused})`;
    return { class: 'config', reason: `exit code ${code}: it cannot go on as it is set up${why}` };
  }
  const full = fullCardLine(facts.evidence.stderrTail);
  if (full !== null) return outOfCardMemory(`exit code ${code}`, full, facts.adaptsBatch === true);
  if (!facts.everStepped && !worksWithoutSdk(facts))
    return { class: 'config', reason: `exit code ${code} before the session's first step${thrown}` };
  if (tellsOfFullDisk(facts.evidence.stderrTail)) {
    return { class: 'disk-full', reason: `exit code ${code}, and its last words tell of a full disk` };
  }
  return { class: 'error', reason: `exit code ${code}${thrown}` };
}

/** `ValueError: ...`, `Error [ERR_X]: ...`, `torch.cuda.Error: ...`: how Node and Python begin the last of what was thrown. */
const THROWN = /^(?:Uncaught )?(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception)(?: \[\w+\])?: \S|^Error(?: \[\w+\])?: \S/;
/** How the SDK begins its own words on stderr. */
const SDK_SAYS = 'nkat-recover: ';
/** More would not be read in one line. */
const MOST_THROWN = 160;

/** What the worker says itself that it ended by; null: nothing that looks like it. */
function thrownLine(stderrTail: readonly string[]): string | null {
  const line = stderrTail.findLast((text) => THROWN.test(text)) ?? null;
  return line === null ? null : inOneLine(line);
}

/** What the SDK wrote of a run that was refused; null: nothing. */
function refusedLine(stderrTail: readonly string[]): string | null {
  const line = stderrTail.findLast((text) => text.startsWith(SDK_SAYS)) ?? null;
  return line === null ? null : inOneLine(line.slice(SDK_SAYS.length));
}

function inOneLine(line: string): string {
  return line.length <= MOST_THROWN ? line : `${line.slice(0, MOST_THROWN)}...`;
}

function outOfMemory(how: string, record: string): Classification {
  return { class: 'host-oom', reason: `${how}: the kernel ended it for want of memory (${record})` };
}

function outOfCardMemory(how: string, line: string, adaptsBatch: boolean): Classification {
  const reason = `${how}: the memory of the GPU was full (${line})`;
  // It does by itself what could be advised.
  if (adaptsBatch) return { class: 'gpu-oom', reason };
  return {
    class: 'gpu-oom',
    reason,
    hint: 'Smaller batches need less. A trainer that takes them by itself says so with connect({ adaptsBatch: true }).',
  };
}

function classifySignal(facts: EndFacts, signal: string): Classification {
  if (signal === 'SIGKILL' && facts.evidence.oomRecord !== null) {
    return outOfMemory(signal, facts.evidence.oomRecord);
  }
  if (NATIVE_CRASHES.has(signal)) {
    const full = fullCardLine(facts.evidence.stderrTail);
    if (full !== null) return outOfCardMemory(signal, full, facts.adaptsBatch === true);
    const { xid = null } = facts.evidence.card ?? {};
    return { class: 'native-crash', reason: `native crash: ${signal}${xid === null ? '' : ` (${xid})`}` };
  }
  return { class: 'killed', reason: `${signal}, which we did not send` };
}
