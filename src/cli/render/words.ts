/**
 * What is said about each event of a run. Pure: the story so far goes in and comes out, so that one sentence can use
 * what an earlier event told (a recovery names the checkpoint that was chosen for it).
 */
import type { Candidate } from '../../checkpoint/types.ts';
import type { EventNamed, SupervisorEvent } from '../../supervisor/events.ts';
import { endWords } from './end-words.ts';
import { type Line, line } from './line.ts';
import { aboutBytes, aboutDuration, count } from './quantities.ts';
import { stopWords } from './stop-words.ts';

export interface Story {
  readonly session: string | null;
  /** What the next start goes on from. */
  readonly chosen: EventNamed<'checkpoint-chosen'> | null;
  /** A worker ended and no step came since. */
  readonly down: boolean;
}

export const NO_STORY: Story = { session: null, chosen: null, down: false };

export interface Telling {
  readonly story: Story;
  readonly lines: readonly Line[];
}

/** The lines for one event, and the story with it. Progress and output have renderers of their own: no lines. */
export function tell(story: Story, event: SupervisorEvent): Telling {
  switch (event.name) {
    case 'session-opened':
      return { story: { ...story, session: event.session }, lines: openedWords(event) };
    case 'checkpoint-chosen':
      return { story: { ...story, chosen: event }, lines: chosenWords(event) };
    case 'training-started':
      return { story, lines: startedWords(event, story) };
    case 'recovered':
      return { story: { ...story, down: false }, lines: [recoveredLine(event)] };
    case 'worker-ended':
      return { story: { ...story, down: event.class !== 'completed' }, lines: endedWords(event) };
    case 'session-ended':
      return { story, lines: endWords(event, story.session) };
    default:
      return { story, lines: wordsOf(event) };
  }
}

type Remaining = Exclude<
  SupervisorEvent,
  {
    name: 'session-opened' | 'checkpoint-chosen' | 'training-started' | 'recovered' | 'worker-ended' | 'session-ended';
  }
>;

function wordsOf(event: Remaining): Line[] {
  switch (event.name) {
    case 'trainer-changed':
      return [line(`The trainer's source has changed since the last launch: ${event.trainer}`, 'warning', 'always')];
    case 'checkpoint-quarantined':
      return [
        line(`Checkpoint ${event.sequence} is damaged and was moved aside: ${event.reason}`, 'warning', 'always'),
        line(`  it is kept in ${event.to}`, 'faint'),
      ];
    case 'checkpoint-set-aside':
      return [
        line(`Checkpoint ${event.sequence} is set aside and not chosen again: ${event.reason}`, 'warning', 'always'),
      ];
    case 'attempt-started':
      return [line(`Attempt ${event.attempt} started (pid ${event.pid})`, 'faint', 'detail')];
    case 'worker-connected':
      return event.adopted
        ? [line(`Adopted the worker that trained on alone (pid ${event.pid}, attempt ${event.attempt})`, 'good')]
        : [line(`Worker connected (pid ${event.pid})`, 'faint', 'detail')];
    case 'save-started':
      return [
        line(
          `Saving step ${event.step} (${kindsText(event)})`,
          'plain',
          event.kinds.includes('emergency') ? 'event' : 'detail',
        ),
      ];
    case 'saved':
      return [savedLine(event)];
    case 'checkpoint-verified':
      return [
        line(
          `Checkpoint ${event.sequence} was read back and verified`,
          'good',
          isRoutine(event.kinds) ? 'detail' : 'event',
        ),
      ];
    case 'save-failed':
      return [saveFailedLine(event)];
    case 'stop-requested':
      return stopWords(event);
    case 'restart-planned':
      return [restartLine(event)];
    case 'hang-detected':
      return [
        line(
          `No step for ${aboutDuration(event.silentMs)} in phase ${event.phase} (limit ${aboutDuration(event.limitMs)}): the worker hangs and is ended`,
          'bad',
          'always',
        ),
      ];
    case 'diverged':
      return [line(`The loss became ${event.loss} at step ${event.step}: nothing is saved after it`, 'bad', 'always')];
    case 'notice':
      if (event.level === 'info') return [line(event.message)];
      return [line(event.message, event.level === 'error' ? 'bad' : 'warning', 'always')];
    case 'progress':
    case 'output':
      return [];
  }
}

function openedWords(event: EventNamed<'session-opened'>): Line[] {
  const name = event.sessionName === null ? '' : ` "${event.sessionName}"`;
  const how = event.adopted ? 'its worker is still training' : event.fresh ? 'new' : 'continued';
  return [
    line(`Session ${event.session}${name}: ${how}, ${event.trainer}`, 'strong'),
    line(`Checkpoints in ${event.directory}, saved ${event.saving}; best models in ${event.backups}`),
    line(`Log in ${event.log}`, 'faint'),
  ];
}

/** Verdicts that no event of their own announces at the moment of choosing. */
const PASSED_OVER: readonly Candidate['verdict'][] = ['unreadable', 'newer-format', 'set-aside'];

function chosenWords(event: EventNamed<'checkpoint-chosen'>): Line[] {
  const passed = event.candidates
    .filter((candidate) => PASSED_OVER.includes(candidate.verdict))
    .map((candidate) =>
      line(
        `Checkpoint ${candidate.sequence} was passed over (${candidate.verdict}): ${candidate.reason}`,
        'warning',
        'always',
      ),
    );
  const text = `Going on from checkpoint ${event.sequence} (${placeText(event)}), ${event.reason}; ${lossText(event)}`;
  return [...passed, line(text, 'plain', 'always')];
}

function startedWords(event: EventNamed<'training-started'>, story: Story): Line[] {
  const backend = event.backend === null ? '' : ` on ${event.backend}`;
  if (event.sequence === null) return [line(`Training starts from the beginning${backend}`)];
  const lost = story.chosen?.sequence === event.sequence ? `, ${lossText(story.chosen)}` : '';
  const text = `Resumed at ${placeText(event)}, from checkpoint ${event.sequence}${backend} in ${aboutDuration(event.restoreMs)}${lost}`;
  // After a crash `recovered` says it, with the time that it took.
  return [line(text, 'good', story.down ? 'detail' : 'event')];
}

function recoveredLine(event: EventNamed<'recovered'>): Line {
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
  killed: 'was killed',
  'native-crash': 'crashed in native code',
  error: 'failed',
  diverged: 'diverged',
  'disk-full': 'ran out of disk space',
  hang: 'hung',
  vanished: 'vanished',
  'power-cut': 'was cut off by a power cut',
};

function endedWords(event: EventNamed<'worker-ended'>): Line[] {
  const status = event.signal ?? (event.code === null ? null : `exit code ${event.code}`);
  const how = status === null || event.reason.includes(status) ? '' : ` (${status})`;
  const text = `Attempt ${event.attempt} ${ENDED[event.class]} at step ${event.lastStep}${how}: ${event.reason}`;
  if (event.class === 'completed' || event.class === 'interrupted') return [line(text, 'faint', 'detail')];
  const lines = [line(text, event.class === 'requested' ? 'plain' : 'bad', 'always')];
  const error = event.class === 'config' ? null : errorLineOf(event.lastLines);
  if (error !== null && !event.reason.includes(error)) lines.push(line(`  ${error}`, 'faint', 'always'));
  return lines;
}

/** The line of a stack trace that says what happened. */
function errorLineOf(lines: readonly string[]): string | null {
  const named = lines.findLast((text) => /^(Uncaught )?[A-Za-z_$][\w$.]*(Error|Exception)\b/.test(text));
  return named?.trim() ?? null;
}

function savedLine(event: EventNamed<'saved'>): Line {
  const text = `Checkpoint ${event.sequence} is durable: ${placeText(event)}, ${kindsText(event)}, ${aboutBytes(event.bytes)} in ${aboutDuration(event.writeMs)}`;
  return line(text, 'plain', isRoutine(event.kinds) ? 'detail' : 'event');
}

function saveFailedLine(event: EventNamed<'save-failed'>): Line {
  if (event.code === 'superseded') {
    return line(`The save of step ${event.step} gave way to a newer one`, 'faint', 'detail');
  }
  return line(`The save of step ${event.step} failed (${event.code}): ${event.message}`, 'warning', 'always');
}

function restartLine(event: EventNamed<'restart-planned'>): Line {
  const when = event.delayMs > 0 ? `in ${aboutDuration(event.delayMs)}` : 'at once';
  const row = event.withoutProgress > 1 ? ` (${event.withoutProgress} attempts in a row without progress)` : '';
  return line(`Restarting ${when}${row}: ${event.reason}`, 'plain', event.delayMs > 0 ? 'always' : 'detail');
}

/** "13 steps, 14 s of work lost"; "nothing lost". */
function lossText(event: EventNamed<'checkpoint-chosen'>): string {
  if (event.stepsLost <= 0) return 'nothing lost';
  const work = event.lostMs === null ? '' : `, ${aboutDuration(event.lostMs)} of work`;
  return `${count(event.stepsLost, 'step')}${work} lost`;
}

function placeText(event: { readonly epoch: number; readonly step: number }): string {
  return `epoch ${event.epoch}, step ${event.step}`;
}

function kindsText(event: { readonly kinds: readonly string[]; readonly reason: string | null }): string {
  return event.reason === null ? event.kinds.join(', ') : `${event.kinds.join(', ')}: ${event.reason}`;
}

function isRoutine(kinds: readonly string[]): boolean {
  return kinds.every((kind) => kind === 'auto');
}
