/** What the next launch resumes from: the store's choice, what was set aside, and whether a fresh start is allowed. */
import { resolve } from 'node:path';
import { chooseCheckpoint, type OnReading } from '../checkpoint/choose.ts';
import type { StoreFiles } from '../checkpoint/files.ts';
import type { StoreLayout } from '../checkpoint/layout.ts';
import { listCheckpoints } from '../checkpoint/list.ts';
import { everCommitted } from '../checkpoint/session-file.ts';
import type { Candidate, CheckpointEntry, CheckpointKind, Choice, Manifest } from '../checkpoint/types.ts';
import { errnoOf } from '../errors.ts';

export interface ChosenPoint {
  readonly sequence: number;
  readonly path: string;
  readonly step: number;
  readonly epoch: number;
  readonly kinds: readonly CheckpointKind[];
  readonly createdAt: string;
}

export type ResumeChoice =
  | {
      readonly kind: 'checkpoint';
      readonly point: ChosenPoint;
      readonly candidates: readonly Candidate[];
      readonly steppedBack: boolean;
    }
  | { readonly kind: 'fresh'; readonly candidates: readonly Candidate[] }
  | {
      readonly kind: 'none';
      /** The disk keeps it from us: it is not there or cannot be read, and may be whole. */
      readonly missing: boolean;
      readonly reason: string;
      readonly candidates: readonly Candidate[];
    };

export interface ResumeRequest {
  readonly setAside: ReadonlySet<number>;
  /** Set aside too, if something from before it verifies. */
  readonly stepBackFrom: number | null;
  /**
   * While the resume point is stepped back: what was trained again up to this step or beyond without progress leads to
   * the same crash, so it is passed over like what was set aside. Null: not stepped back.
   */
  readonly belowStep: number | null;
  /**
   * What verifies above it is progress, although nobody heard so while it was made (both died first): it is taken, and
   * nothing is stepped back.
   */
  readonly highestStep: number;
  /** The operator's own choice, by sequence or path. */
  readonly only: number | string | null;
  readonly allowFresh: boolean;
  /** Session file or index recorded a commit, whatever the directory says now. */
  readonly recordedCommit: boolean;
  readonly onReading?: OnReading;
}

/** Damaged checkpoints that stand in the way are quarantined; nothing is deleted. */
export async function chooseResumePoint(
  files: StoreFiles,
  layout: StoreLayout,
  request: ResumeRequest,
): Promise<ResumeChoice> {
  if (!(await directoryExists(files, layout.directory))) {
    const reason = `${layout.directory} is missing; is its disk mounted?`;
    return { kind: 'none', missing: true, reason, candidates: [] };
  }
  const { onReading } = request;
  const wishes = {
    ...(request.only === null ? {} : { only: request.only }),
    ...(onReading === undefined ? {} : { onReading }),
  };
  const choose = (setAside: ReadonlySet<number>): Promise<Choice> =>
    chooseCheckpoint(files, { layout, setAside, quarantine: true, ...wishes });

  const entries = await listCheckpoints(files, layout);
  const from = entries.find(({ sequence }) => sequence === request.stepBackFrom);
  if (from !== undefined) {
    const limit = Math.min(from.step ?? 0, request.belowStep ?? Number.POSITIVE_INFINITY);
    const choice = await choose(passedOver(request, entries, limit));
    if (choice.chosen !== null) {
      const steppedBack = choice.chosen.manifest.step <= request.highestStep;
      return withheld(request, choice) ?? checkpoint(choice.chosen, choice.candidates, steppedBack);
    }
  }
  if (request.belowStep !== null) {
    const choice = await choose(passedOver(request, entries, request.belowStep));
    if (choice.chosen !== null) return withheld(request, choice) ?? checkpoint(choice.chosen, choice.candidates, false);
  }
  const choice = await choose(request.setAside);
  if (choice.chosen !== null) return withheld(request, choice) ?? checkpoint(choice.chosen, choice.candidates, false);
  const { candidates } = choice;
  // What was asked for by name is taken or refused, never replaced by zero.
  if (request.only !== null) {
    return { kind: 'none', missing: false, reason: whyNotThat(request.only, candidates), candidates };
  }
  // A new session has no directory entry that could hold a commit; only then is a fresh start no silent loss.
  const committed = request.recordedCommit || candidates.length > 0 || (await everCommitted(files, layout));
  if (!committed || request.allowFresh) return { kind: 'fresh', candidates };
  const missing = candidates.some(({ verdict }) => verdict === 'unreadable');
  return { kind: 'none', missing, reason: whyNone(candidates), candidates };
}

/**
 * Only a copy of a best model can be read, while the disk keeps newer checkpoints of the session from us: they may be whole, and going
 * on from the copy would train their steps again and rotate them away. That is for the operator to say.
 */
function withheld({ only }: ResumeRequest, { chosen, candidates }: Choice): ResumeChoice | null {
  const taken = candidates.find(({ verdict }) => verdict === 'chosen');
  const kept = candidates.find(({ place, verdict }) => place === 'session' && verdict === 'unreadable');
  if (only !== null || chosen === null || taken?.place !== 'backup' || kept === undefined) return null;
  const { sequence, step } = chosen.manifest;
  const copy = `the newest that can be read is the copy of a best model, ${sequence} at step ${step}; to go on from that: --from ${chosen.path}`;
  const reason = `checkpoint ${kept.sequence} at step ${kept.step ?? '?'}: ${kept.reason}; ${copy}`;
  return { kind: 'none', missing: true, reason, candidates };
}

function passedOver(
  { setAside, highestStep }: ResumeRequest,
  entries: readonly CheckpointEntry[],
  limitStep: number,
): ReadonlySet<number> {
  const later = entries.filter(({ step }) => step !== null && step >= limitStep && step <= highestStep);
  return new Set([...setAside, ...later.map(({ sequence }) => sequence)]);
}

function checkpoint(
  chosen: { readonly path: string; readonly manifest: Manifest },
  candidates: readonly Candidate[],
  steppedBack: boolean,
): ResumeChoice {
  const { sequence, step, epoch, kinds, createdAt } = chosen.manifest;
  return {
    kind: 'checkpoint',
    point: { sequence, path: chosen.path, step, epoch, kinds, createdAt },
    candidates,
    steppedBack,
  };
}

function whyNotThat(only: number | string, candidates: readonly Candidate[]): string {
  const asked = candidates.find(({ sequence, path }) =>
    typeof only === 'number' ? sequence === only : path === resolve(only),
  );
  const others = candidates.filter((other) => other !== asked && other.place !== 'quarantine');
  const names = [...new Set(others.map(({ sequence, step }) => `${sequence} (step ${step ?? '?'})`))];
  const rest = names.length === 0 ? 'there is no other' : `there are also ${names.join(', ')}`;
  const what = typeof only === 'number' ? `checkpoint ${only}` : only;
  return `${what}: ${asked?.reason ?? 'this session has no such checkpoint'}; ${rest}`;
}

function whyNone(candidates: readonly Candidate[]): string {
  if (candidates.length === 0) return 'checkpoints were committed, but none is left';
  const counts = new Map<string, number>();
  for (const { verdict } of candidates) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  const words = [...counts].map(([verdict, count]) => `${count} ${verdict}`).join(', ');
  const unreadable = candidates.find(({ verdict }) => verdict === 'unreadable');
  return `no checkpoint verifies (${words})${unreadable === undefined ? '' : `; the newest of those: ${unreadable.reason}`}`;
}

async function directoryExists(files: StoreFiles, directory: string): Promise<boolean> {
  try {
    return (await files.facts(directory)).kind === 'directory';
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
