/**
 * What is said about each event of a run. Pure: the story so far goes in and comes out, so that one sentence can use
 * what an earlier event told (a recovery names the checkpoint that was chosen for it).
 */
import type { EventNamed, SupervisorEvent } from '../../supervisor/events.ts';
import { MAX_WITHOUT_PROGRESS } from '../../supervisor/machine/restart-policy.ts';
import { isToldByWarning } from '../../supervisor/warnings/failing-saves.ts';
import { aboutBytes } from '../../units.ts';
import { cardActionLine } from './card-action-words.ts';
import { endWords } from './end-words.ts';
import { type Line, line } from './line.ts';
import { cutWords, goingLine, upsLine } from './power-words.ts';
import { aboutDuration, count } from './quantities.ts';
import { chosenWords, endedWords, placeText, recoveredLine, restartLine, startedWords } from './recovery-words.ts';
import { stopWords } from './stop-words.ts';
import type { Story } from './story.ts';

export interface Telling {
  readonly story: Story;
  readonly lines: readonly Line[];
}

/** The lines for one event, and the story with it. What is told again and again is up to the renderers: no lines. */
export function tell(story: Story, event: SupervisorEvent): Telling {
  switch (event.name) {
    case 'session-opened':
      return { story: { ...story, session: event.session }, lines: openedWords(event) };
    case 'checkpoint-chosen':
      return { story: { ...story, chosen: event }, lines: chosenWords(event) };
    case 'training-started':
      return { story, lines: startedWords(event, story) };
    case 'recovered':
      return { story: { ...story, down: null }, lines: [recoveredLine(event)] };
    case 'worker-ended':
      return { story: { ...story, down: event.class === 'completed' ? null : event }, lines: endedWords(event) };
    case 'restart-planned':
      return { story, lines: [restartLine(event, story)] };
    case 'session-ended':
      return { story, lines: endWords(event, story) };
    default:
      return { story, lines: wordsOf(event) };
  }
}

type Remaining = Exclude<
  SupervisorEvent,
  {
    name:
      | 'session-opened'
      | 'checkpoint-chosen'
      | 'training-started'
      | 'recovered'
      | 'worker-ended'
      | 'restart-planned'
      | 'session-ended';
  }
>;

function wordsOf(event: Remaining): Line[] {
  switch (event.name) {
    case 'trainer-changed':
      return [line(`The trainer's source has changed since the last launch: ${event.trainer}`, 'warning', 'always')];
    case 'ups-changed':
      return [upsLine(event)];
    case 'machine-going':
      return [goingLine(event)];
    case 'machine-woke':
      return [line('The machine is awake again: the training goes on', 'good', 'always')];
    case 'power-cut':
      return cutWords(event);
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
      // A routine save is told once, when it is durable.
      return isRoutine(event.kinds) ? [] : [line(`Saving step ${event.step} (${kindsText(event)})`)];
    case 'saved':
      return [savedLine(event)];
    case 'checkpoint-verified':
      if (isRoutine(event.kinds)) return [];
      return [line(`Checkpoint ${event.sequence} was read back and verified`, 'good')];
    case 'save-failed':
      return isToldByWarning(event) ? [] : [saveFailedLine(event)];
    case 'stop-requested':
      return stopWords(event);
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
    case 'gpu-acted':
      return [cardActionLine(event)];
    case 'warning':
      return [
        line(event.message, 'warning', 'always'),
        ...(event.hint === null ? [] : [line(`  ${event.hint}`, 'faint', 'always')]),
      ];
    case 'warning-ended':
      return [line(event.message, 'good', 'always')];
    case 'cards-absent':
      return [line(event.message, 'faint', 'detail')];
    case 'advice':
      return [line(`Advice: ${event.message}`, 'warning'), line(`  ${event.hint}`, 'faint')];
    case 'snapshot-kept':
      return [line(`What the GPUs showed before is kept in ${event.path}`, 'faint')];
    case 'notice':
      if (event.level === 'info') return [line(event.message)];
      return [line(event.message, event.level === 'error' ? 'bad' : 'warning', 'always')];
    case 'progress':
    case 'output':
    case 'checkpoint-verifying':
      return [];
  }
}

/** For the log, which a person reads afterwards: what the screen leaves out because another line tells it, or too often. */
export function loggedWords(event: SupervisorEvent): string {
  switch (event.name) {
    case 'save-started':
      return `Saving step ${event.step} (${kindsText(event)})`;
    case 'checkpoint-verified':
      return `Checkpoint ${event.sequence} was read back and verified`;
    case 'save-failed':
      return saveFailedLine(event).text;
    default:
      return '';
  }
}

/** The budget is not renewed by another start of ours: who starts again is to know how much of it is left. */
function countedWords({ budget: { withoutProgress }, fresh }: EventNamed<'session-opened'>): Line[] {
  if (fresh || withoutProgress === 0) return [];
  const text = `Counted from before: ${count(withoutProgress, 'attempt')} in a row without progress; it is given up after ${MAX_WITHOUT_PROGRESS}`;
  return [line(text, 'warning')];
}

function openedWords(event: EventNamed<'session-opened'>): Line[] {
  const name = event.sessionName === null ? '' : ` "${event.sessionName}"`;
  const how = event.adopted ? 'its worker is still training' : event.fresh ? 'new' : 'continued';
  return [
    line(`Session ${event.session}${name}: ${how}, ${event.trainer}`, 'strong'),
    line(`Checkpoints in ${event.directory}, saved ${event.saving}; best models in ${event.backups}`),
    line(`Log in ${event.log}`, 'faint'),
    ...countedWords(event),
  ];
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

function kindsText(event: { readonly kinds: readonly string[]; readonly reason: string | null }): string {
  return event.reason === null ? event.kinds.join(', ') : `${event.kinds.join(', ')}: ${event.reason}`;
}

function isRoutine(kinds: readonly string[]): boolean {
  return kinds.every((kind) => kind === 'auto');
}
