/** Whether the power was cut under a session that is opened again, and what is known of that cut. */

import { statSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { currentOwner, type Place, relationOf } from '../checkpoint/process-identity.ts';
import type { Owner, SessionFile, WorkerIdentity } from '../checkpoint/types.ts';
import { errnoOf } from '../errors.ts';
import { judgeCut, type PowerCut } from '../power/power-cut.ts';
import { isOpenState } from '../words.ts';
import type { SessionContext } from './session-context.ts';
import { LOG_NAME } from './session-log.ts';

/**
 * Where a worker ran, as far as it was recorded. An older release wrote no machine: then it is that of the claim.
 *
 * @param previous the claim before ours; null: there was none, or it was given back
 */
export function placeOfWorker({ group, machineId }: WorkerIdentity, previous: Owner | null): Place {
  const recorded = machineId === undefined ? (previous?.machineId ?? null) : machineId;
  const place = { bootId: group.bootId, pidNamespace: null, machineId: recorded };
  return previous === null ? place : { ...place, host: previous.host };
}

/** True when this machine was booted since, and not merely another machine had the session. */
export function isCutOff(place: Place): boolean {
  return place.bootId !== null && relationOf(place, currentOwner('supervisor')) === 'rebooted';
}

export interface OpenedAfter {
  /** The session's record as it was found. */
  readonly file: SessionFile;
  /** Whoever had the session last and did not give it back. */
  readonly previous: Owner | null;
  /** Its last attempt was cut off. */
  readonly attemptCut: boolean;
}

/** Null: no cut ended it. To be asked before the record is changed, which is a sign of life of its own. */
export function findCut(context: SessionContext, { file, previous, attemptCut }: OpenedAfter): PowerCut | null {
  const wasOpen = isOpenState(file.state);
  // Also between two attempts, while it waited or chose a checkpoint.
  const supervisorCut = wasOpen && previous !== null && isCutOff(previous);
  if (!attemptCut && !supervisorCut) return null;
  return judgeCut({
    earlier: file.cuts ?? [],
    lastSeenMs: lastSeenMs(context, file),
    nowMs: context.now().getTime(),
    uptimeMs: uptime() * 1_000,
    settleMs: context.settings.powerSettleMs,
  });
}

function lastSeenMs({ index, outputDirectory }: SessionContext, file: SessionFile): number {
  const traces = [
    Date.parse(file.updatedAt),
    index.reached()?.at.getTime(),
    Date.parse(index.lastCheckpointAt() ?? ''),
    modifiedMs(join(outputDirectory, LOG_NAME)),
  ];
  return Math.max(...traces.filter((trace) => trace !== undefined && Number.isFinite(trace)).map(Number), 0);
}

function modifiedMs(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return Number.NaN;
  }
}
