/** Carries out `choose-checkpoint`: asks the store, tells what it found, and records what was set aside. */
import { quarantineCause } from '../checkpoint/choose.ts';
import type { Candidate, SessionFile } from '../checkpoint/types.ts';
import type { Happening } from './machine/event.ts';
import { type ChosenPoint, chooseResumePoint, type ResumeChoice } from './resume-point.ts';
import type { SessionContext } from './session-context.ts';
import { whileReading } from './while-reading.ts';

export interface ChoosingRequest {
  readonly stepBackFrom: number | null;
  readonly only: number | string | null;
  /** Passed over this time only: it failed while it was loaded. */
  readonly passOver: number | null;
}

export interface Chosen {
  readonly point: ChosenPoint | null;
  readonly happening: Happening;
}

export async function choose(context: SessionContext, request: ChoosingRequest): Promise<Chosen> {
  const { record, index, settings } = context;
  const setAside = new Set(record.setAside);
  if (request.passOver !== null) setAside.add(request.passOver);
  const choice = await whileReading(context, (onReading) =>
    chooseResumePoint(context.files, context.layout, {
      setAside,
      stepBackFrom: request.stepBackFrom,
      belowStep: stepLimit(record.file),
      highestStep: record.file.budget.highestVerifiedStep,
      only: request.only,
      allowFresh: settings.allowFresh,
      recordedCommit: record.file.lastCommit !== null || index.everCommitted(),
      onReading,
    }),
  );
  await tellQuarantined(context, choice.candidates);
  switch (choice.kind) {
    case 'none':
      return { point: null, happening: { type: 'no-checkpoint', reason: choice.reason, missing: choice.missing } };
    case 'fresh':
      record.reach(0);
      return {
        point: null,
        happening: { type: 'checkpoint-chosen', sequence: null, steppedBack: false, verified: null },
      };
    case 'checkpoint':
      return await takePoint(context, choice, request);
    default:
      throw new TypeError(`no such choice: ${JSON.stringify(choice satisfies never)}`);
  }
}

/** Lowest step that was set aside since the last progress; null: the resume point is not stepped back. */
function stepLimit({ budget, setAside }: SessionFile): number | null {
  const steps = setAside.slice(setAside.length - budget.stepsBack).map(({ step }) => step);
  return steps.length === 0 ? null : Math.min(...steps);
}

async function takePoint(
  context: SessionContext,
  choice: Extract<ResumeChoice, { kind: 'checkpoint' }>,
  { stepBackFrom, only }: ChoosingRequest,
): Promise<Chosen> {
  const { point, candidates, steppedBack } = choice;
  const { record, index, tell } = context;
  if (steppedBack && stepBackFrom !== null) {
    const reason = 'two launches from it ended without progress';
    const step = candidates.find(({ sequence }) => sequence === stepBackFrom)?.step ?? point.step;
    record.addSetAside({ sequence: stepBackFrom, step, reason, at: context.now().toISOString() });
    await index.setCheckpointState(stepBackFrom, 'set-aside');
    tell({ name: 'checkpoint-set-aside', sequence: stepBackFrom, reason });
  }
  if (only !== null) await leaveBranch(context, choice);
  const { reached } = record;
  const stepsLost = Math.max(0, reached.step - point.step);
  tell({
    name: 'checkpoint-chosen',
    sequence: point.sequence,
    step: point.step,
    epoch: point.epoch,
    reason: candidates.find(({ verdict }) => verdict === 'chosen')?.reason ?? 'the newest that verifies',
    candidates,
    stepsLost,
    lostMs: stepsLost === 0 ? 0 : record.lostMsSince(point),
  });
  // What is lost is told once, also when the next launch dies before it trains.
  record.goBackTo(point);
  const { sequence, step, kinds } = point;
  return { point, happening: { type: 'checkpoint-chosen', sequence, steppedBack, verified: { step, kinds } } };
}

/**
 * The operator went back to an earlier checkpoint on purpose. What was trained after it is another branch: were it left in
 * the order, a crash before the first new save would jump back to it in silence. It is kept, and `--from` takes it again.
 */
async function leaveBranch(
  { record, index, tell, now }: SessionContext,
  { point, candidates }: Extract<ResumeChoice, { kind: 'checkpoint' }>,
): Promise<void> {
  if (record.setAside.has(point.sequence)) {
    record.change({ setAside: record.file.setAside.filter(({ sequence }) => sequence !== point.sequence) });
    await index.setCheckpointState(point.sequence, 'verified');
  }
  const reason = `the operator went on from checkpoint ${point.sequence}`;
  for (const { sequence, step, place } of candidates) {
    if (place === 'quarantine' || sequence <= point.sequence || record.setAside.has(sequence)) continue;
    record.addSetAside({ sequence, step: step ?? 0, reason, at: now().toISOString() });
    await index.setCheckpointState(sequence, 'set-aside');
    tell({ name: 'checkpoint-set-aside', sequence, reason });
  }
  await record.persist();
}

async function tellQuarantined({ tell, index }: SessionContext, candidates: readonly Candidate[]): Promise<void> {
  for (const candidate of candidates) {
    const { sequence, quarantinedTo } = candidate;
    if (quarantinedTo === null) continue;
    await index.moved(sequence, quarantinedTo, 'quarantined');
    tell({ name: 'checkpoint-quarantined', sequence, to: quarantinedTo, reason: quarantineCause(candidate) });
  }
}
