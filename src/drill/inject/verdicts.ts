/** What an injected fault came to: null, the session came back from it; else why not, in words. Pure. */
import type { Candidate } from '../../checkpoint/types.ts';
import type { RehearsalEnd } from '../rehearsal-request.ts';
import type { Corrupted } from './corrupt-newest.ts';
import type { Injected } from './injections.ts';

/**
 * The way back from damage: it is seen, moved aside, and another one is taken.
 * @param chosen what a supervisor would take now; null: nothing verifies
 */
export function judgeDamage(
  name: string,
  corrupted: Corrupted | null,
  chosen: { readonly path: string; readonly sequence: number } | null,
  candidates: readonly Candidate[],
): Injected {
  if (corrupted === null) return { name, ok: false, text: 'there is no checkpoint to damage' };
  const { sequence, path, wasBroken } = corrupted;
  if (wasBroken) {
    const taken = chosen === null ? 'nothing is left that verifies' : `${chosen.sequence} taken`;
    const text = `checkpoint ${sequence} did not verify before anything was done to it: ${taken}`;
    return { name, ok: chosen !== null, text };
  }
  const found = candidates.find((candidate) => candidate.sequence === sequence && candidate.place !== 'backup');
  if (found?.verdict !== 'damaged' || chosen?.path === path) {
    return { name, ok: false, text: `one bit of checkpoint ${sequence} was turned, and nobody saw it` };
  }
  if (chosen === null) return { name, ok: false, text: `without checkpoint ${sequence} nothing is left that verifies` };
  return {
    name,
    ok: true,
    text: `one bit of checkpoint ${sequence} was turned: seen, moved aside, ${chosen.sequence} taken`,
  };
}

/** It went on without room, and saved when there was some: what is there then is looked at by itself. */
export function judgeFullDisk({ rehearsal, refusedSaves, saved }: RehearsalEnd): string | null {
  if (rehearsal.outcome !== 'done') return rehearsal.reason;
  if (refusedSaves === 0) return 'no save found the disk full';
  return saved === null ? 'it did not save again when there was room' : null;
}

/** A launch that was to be killed has been, or had come to the end of its training before. */
export function judgeKilled({ rehearsal: { outcome, reason } }: Pick<RehearsalEnd, 'rehearsal'>): string | null {
  return outcome === 'done' || outcome === 'killed' ? null : reason;
}

/**
 * What there is to go on from afterwards.
 * @param acknowledged the newest that was ever reported as durable; 0: none
 * @param chosen what a supervisor would take now; null: nothing verifies
 */
export function judgeChosen(acknowledged: number, chosen: number | null): string | null {
  if (chosen === null) return 'no checkpoint verified afterwards';
  return acknowledged > chosen ? `checkpoint ${acknowledged} was acknowledged, and is not there to go on from` : null;
}
