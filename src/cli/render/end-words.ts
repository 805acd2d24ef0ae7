/** The last words of a run: how it ended, what it took, and the command that helps. */
import type { CheckpointPlace, EventNamed, Outcome, Summary } from '../../supervisor/events.ts';
import { type Line, line, type Tone } from './line.ts';
import { aboutDuration, aboutNumber, count, isNoticeable } from './quantities.ts';
import type { Story } from './story.ts';

export function endWords(
  event: EventNamed<'session-ended'>,
  { session, showsOutput }: Pick<Story, 'session' | 'showsOutput'>,
): Line[] {
  const [tone, headline] = headlineOf(event, session);
  const lines = [line(headline, tone, 'always')];
  if (event.outcome === 'config-error' && !showsOutput) {
    for (const text of event.lastLines) lines.push(line(`  ${text}`, 'faint', 'always'));
  }
  if (event.summary.attempts > 0 && event.outcome !== 'config-error') lines.push(...summaryWords(event.summary));
  const hint = event.hint ?? hintOf(event.outcome, session);
  if (hint !== null) lines.push(line(hint, 'plain', 'always'));
  return lines;
}

function headlineOf(event: EventNamed<'session-ended'>, session: string | null): readonly [Tone, string] {
  const { outcome, reason, summary } = event;
  const name = session === null ? 'the session' : `session ${session}`;
  switch (outcome) {
    case 'completed':
      return ['good', `Completed: ${name}${atStep(summary)}`];
    case 'stopped-saved':
      return ['good', `Stopped with a verified save: ${lastText(summary) ?? reason}`];
    case 'stopped-unsaved':
      return ['warning', `Stopped without a confirmed save (${reason}); ${newestText(summary)}`];
    case 'gave-up':
      return ['bad', `Gave up on ${name}: ${reason}`];
    case 'diverged':
      return ['bad', `Stopped, the training diverged: ${reason}`];
    case 'config-error':
      return ['bad', `The trainer cannot start: ${reason}`];
    case 'fatal':
      return ['bad', `The trainer ended ${name} for good: ${reason}`];
    case 'no-checkpoint':
      return ['bad', `Cannot go on with ${name}, nothing was deleted: ${reason}`];
    case 'store-missing':
      return ['bad', `The checkpoints of ${name} are not where they were recorded, or cannot be read: ${reason}`];
    case 'gpu-lost':
      return ['bad', `The GPU is lost to ${name}, nothing is launched on it: ${reason}`];
    case 'unkillable':
      return ['bad', `The worker cannot be killed: ${reason}`];
    case 'internal':
      return ['bad', `Internal error: ${reason}`];
  }
}

function hintOf(outcome: Outcome, session: string | null): string | null {
  const id = session ?? 'latest';
  switch (outcome) {
    case 'stopped-saved':
    case 'stopped-unsaved':
      return `Run the same line again to continue, or: nkat-recover resume ${id}`;
    case 'gave-up':
      return `What was tried: nkat-recover show ${id}. Once the cause is gone, go on with: nkat-recover resume ${id}`;
    case 'diverged':
      return `Change the trainer or its learning rate, then: nkat-recover resume ${id}`;
    case 'no-checkpoint':
      return `What is wrong with each: nkat-recover explain ${id}. To start from zero all the same: --allow-fresh`;
    case 'store-missing':
      return 'Mount the disk that holds them, readable for you, and run the same line again, or start another session with --new.';
    case 'gpu-lost':
      return `Once nkat-recover gpu shows it healthy: nkat-recover resume ${id}. With --wait-for-gpu a session waits for that by itself.`;
    case 'unkillable':
      return `Free what it waits for in the kernel, mostly a disk or a GPU, or reboot; then: nkat-recover resume ${id}. The checkpoints are safe.`;
    default:
      return null;
  }
}

/** What the run took: times, attempts, saves, the best metric, the last checkpoint. */
export function summaryWords(summary: Summary): Line[] {
  const recoveries = Math.max(0, summary.attempts - 1);
  const lost =
    recoveries === 0
      ? ''
      : `, lost ${lostWork(summary)} and stood still for ${aboutDuration(summary.lostMs)} in ${count(recoveries, 'restart')}`;
  const classes = Object.entries(summary.attemptsByClass)
    .filter(([, amount]) => amount > 0)
    .map(([name, amount]) => `${amount} ${name}`);
  const facts = [
    `${count(summary.attempts, 'attempt')}${classes.length > 0 ? ` (${classes.join(', ')})` : ''}`,
    `${count(summary.saves, 'save')}${summary.failedSaves > 0 ? ` (${summary.failedSaves} more failed)` : ''}`,
  ];
  if (summary.bestMetric !== null)
    facts.push(`best ${summary.bestMetric.name} ${aboutNumber(summary.bestMetric.value)}`);
  const since = summary.adopted === true ? ' since the worker was adopted' : '';
  const lines = [
    line(`Trained ${aboutDuration(summary.trainedMs)}${since}${lost}; ${facts.join(', ')}`, 'plain', 'always'),
  ];
  if (summary.lastCheckpoint !== null) {
    const digest = summary.digest === null ? '' : `, digest ${summary.digest}`;
    lines.push(line(`Last checkpoint ${summary.lastCheckpoint.path}${digest}`, 'faint'));
  }
  return lines;
}

/** In the words of `checkpoint-chosen`, whose sum it is. */
function lostWork({ stepsLost, workLostMs }: Summary): string {
  if (stepsLost === 0) return 'nothing';
  const work = isNoticeable(workLostMs) ? ` (${aboutDuration(workLostMs)} of work)` : '';
  return `${count(stepsLost, 'step')}${work}`;
}

function atStep(summary: Summary): string {
  const last = summary.lastCheckpoint;
  return last === null ? '' : ` at epoch ${last.epoch}, step ${last.step}`;
}

function lastText(summary: Summary): string | null {
  const last = summary.lastCheckpoint;
  return last === null ? null : placed(last);
}

function placed({ sequence, epoch, step }: CheckpointPlace): string {
  return `checkpoint ${sequence} at epoch ${epoch}, step ${step}`;
}

function newestText(summary: Summary): string {
  const newest = summary.lastCheckpoint ?? summary.wentOnFrom ?? null;
  if (newest === null)
    return summary.adopted === true ? 'nothing was saved since it was adopted' : 'it has no checkpoint yet';
  return `the newest is ${placed(newest)}`;
}
