/** A crash and the way back from it: what died and how we know, what it goes on from and why, in how long. */
import type { Candidate } from '../../checkpoint/types.ts';
import type { EventNamed } from '../../supervisor/events.ts';
import { type Line, line } from './line.ts';
import { aboutDuration, count, isNoticeable } from './quantities.ts';
import type { Story } from './story.ts';

/** Verdicts that no event of their own announces at the moment of choosing. */
const PASSED_OVER: readonly Candidate['verdict'][] = ['unreadable', 'newer-format', 'set-aside'];

export function chosenWords(event: EventNamed<'checkpoint-chosen'>): Line[] {
  const passed = event.candidates
    .filter((candidate) => PASSED_OVER.includes(candidate.verdict))
    .map((candidate) =>
      line(`Checkpoint ${candidate.sequence} was passed over: ${candidate.reason}`, 'warning', 'always'),
    );
  const text = `Going on from checkpoint ${event.sequence} (${placeText(event)}), ${event.reason}; ${lossText(event)}`;
  return [...passed, line(text, 'plain', 'always')];
}

export function startedWords(event: EventNamed<'training-started'>, story: Story): Line[] {
  const backend = event.backend === null ? '' : ` on ${event.backend}`;
  if (event.sequence === null) {
    if (story.down === null) return [line(`Training starts from the beginning${backend}`)];
    const steps = count(story.down.lastStep, 'step');
    return [
      line(`There was no checkpoint yet: training starts again from the beginning, ${steps} lost`, 'warning', 'always'),
    ];
  }
  const lost = story.chosen?.sequence === event.sequence ? `, ${lossText(story.chosen)}` : '';
  const text = `Resumed at ${placeText(event)}, from checkpoint ${event.sequence}${backend} in ${aboutDuration(event.restoreMs)}${lost}`;
  // After a crash `recovered` says it, with the time that it took.
  return [line(text, 'good', story.down === null ? 'event' : 'detail')];
}

export function recoveredLine(event: EventNamed<'recovered'>): Line {
  return line(
    `Recovered in ${aboutDuration(event.downMs)}: attempt ${event.attempt} trains on at step ${event.step}`,
    'good',
    'always',
  );
}

const ENDED: Readonly<Record<EventNamed<'worker-ended'>['class'], string>> = {
  completed: 'ended',
  fatal: 'said that it must not be run again',
  requested: 'asked to be started again',
  interrupted: 'was stopped',
  config: 'could not start',
  'host-oom': 'was killed for lack of memory',
  'heap-oom': 'ran out of memory',
  killed: 'was killed',
  'native-crash': 'crashed in native code',
  error: 'failed',
  diverged: 'diverged',
  'disk-full': 'ran out of disk space',
  hang: 'hung',
  vanished: 'vanished',
  'power-cut': 'was cut off by a power cut',
  'gpu-lost': 'lost its GPU',
  'gpu-oom': 'ran out of GPU memory',
  overheated: 'was stopped for its GPU',
};

export function endedWords(event: EventNamed<'worker-ended'>): Line[] {
  const status = event.signal ?? (event.code === null ? null : `exit code ${event.code}`);
  const how = status === null || event.reason.includes(status) ? '' : ` (${status})`;
  const text = `Attempt ${event.attempt} ${ENDED[event.class]} at step ${event.lastStep}${how}: ${event.reason}`;
  if (event.class === 'completed' || event.class === 'interrupted') return [line(text, 'faint', 'detail')];
  const lines = [line(text, event.class === 'requested' ? 'plain' : 'bad', 'always')];
  const { hint = null } = event;
  if (hint !== null) lines.push(line(`  ${hint}`, 'faint', 'always'));
  const error = event.class === 'config' ? null : errorLineOf(event.lastLines);
  if (error !== null && !event.reason.includes(error)) lines.push(line(`  ${error}`, 'faint', 'always'));
  return lines;
}

/** The line of a stack trace that says what happened. */
function errorLineOf(lines: readonly string[]): string | null {
  const named = lines.findLast((text) => /^(Uncaught )?[A-Za-z_$][\w$.]*(Error|Exception)\b/.test(text));
  return named?.trim() ?? null;
}

export function restartLine(event: EventNamed<'restart-planned'>, story: Story): Line {
  const when = event.delayMs > 0 ? `in ${aboutDuration(event.delayMs)}` : 'at once';
  const row = rowWords(event);
  const why = event.reason === story.down?.reason ? '' : `: ${event.reason}`;
  return line(`Restarting ${when}${row}${why}`, 'plain', event.delayMs > 0 ? 'always' : 'detail');
}

function rowWords({ withoutProgress, crashSaves = 0 }: EventNamed<'restart-planned'>): string {
  const words = [
    ...(withoutProgress > 1 ? [`${withoutProgress} attempts in a row without progress`] : []),
    ...(crashSaves > 1 ? [`${crashSaves} in a row saved nothing but as they died`] : []),
  ];
  return words.length === 0 ? '' : ` (${words.join(', ')})`;
}

/** "13 steps, 14 s of work lost"; "nothing lost". */
function lossText(event: EventNamed<'checkpoint-chosen'>): string {
  if (event.stepsLost <= 0) return 'nothing lost';
  const work = event.lostMs === null || !isNoticeable(event.lostMs) ? '' : `, ${aboutDuration(event.lostMs)} of work`;
  return `${count(event.stepsLost, 'step')}${work} lost`;
}

/** "epoch 7, step 3201" */
export function placeText(event: { readonly epoch: number; readonly step: number }): string {
  return `epoch ${event.epoch}, step ${event.step}`;
}
