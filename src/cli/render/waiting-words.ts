/** What a run waits for before there is progress to show: a checkpoint being read, a trainer that has not connected. */
import type { EventNamed, SupervisorEvent } from '../../supervisor/events.ts';
import { aboutBytes } from '../../units.ts';
import { aboutDuration } from './quantities.ts';

/** Times on the renderer's own monotonic clock, in ms. */
export type Waiting =
  | { readonly kind: 'connection'; readonly sinceMs: number }
  | { readonly kind: 'reading'; readonly event: EventNamed<'checkpoint-verifying'> };

/** A trainer connects within this time unless it loads something first. */
const SOON_MS = 3_000;

/** What is waited for after one more event; null: nothing. */
export function waitingAfter(waiting: Waiting | null, event: SupervisorEvent, nowMs: number): Waiting | null {
  switch (event.name) {
    case 'checkpoint-verifying':
      return { kind: 'reading', event };
    case 'attempt-started':
      return { kind: 'connection', sinceMs: nowMs };
    case 'checkpoint-chosen':
    case 'worker-connected':
    case 'worker-ended':
    case 'session-ended':
      return null;
    default:
      return waiting;
  }
}

export function waitingText(waiting: Waiting | null, nowMs: number): string {
  if (waiting === null) return 'starting';
  if (waiting.kind === 'reading') return verifyingText(waiting.event);
  const sinceMs = nowMs - waiting.sinceMs;
  return sinceMs < SOON_MS ? 'starting' : `starting: no connect() from the trainer for ${aboutDuration(sinceMs)}`;
}

/** "verifying checkpoint 12: 3.1 GB of 9.8 GB" */
export function verifyingText({ sequence, readBytes, totalBytes }: EventNamed<'checkpoint-verifying'>): string {
  return `verifying checkpoint ${sequence}: ${aboutBytes(readBytes)} of ${aboutBytes(totalBytes)}`;
}
