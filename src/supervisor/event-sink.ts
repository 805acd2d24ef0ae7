/** Where every event goes: the screen, the session log, the events table, the summary. */
import type { Summary, SupervisorEvent } from './events.ts';
import type { SessionIndex } from './session-index.ts';
import { SessionLog } from './session-log.ts';
import type { SessionRecord } from './session-record.ts';
import { SummaryGatherer } from './summary.ts';

export interface EventSink {
  readonly tell: (event: SupervisorEvent) => void;
  summary(): Summary;
  /** Last stderr lines of the newest worker that ended. */
  lastLines(): readonly string[];
  close(): void;
}

export interface EventSinkOptions {
  readonly directory: string;
  readonly index: SessionIndex;
  readonly record: SessionRecord;
  readonly publish: (event: SupervisorEvent) => void;
  readonly nowMs: () => number;
}

/** Not worth a row each: progress is in the session's row, output in the log, saves in their own table. */
const NO_ROW: ReadonlySet<SupervisorEvent['name']> = new Set([
  'progress',
  'output',
  'save-started',
  'checkpoint-verifying',
]);

/** Where something is, told again and again: for who looks on. */
const NO_RECORD: ReadonlySet<SupervisorEvent['name']> = new Set(['progress', 'checkpoint-verifying']);

export function openEventSink({ directory, index, record, publish, nowMs }: EventSinkOptions): EventSink {
  const gatherer = new SummaryGatherer();
  let lastLines: readonly string[] = [];
  const log = new SessionLog({
    directory,
    onProblem: (message) => publish({ name: 'notice', level: 'warning', message }),
    onWrittenAgain: (message) => publish({ name: 'notice', level: 'info', message }),
  });
  const tell = (event: SupervisorEvent): void => {
    gatherer.take(event, nowMs());
    if (event.name === 'worker-ended') ({ lastLines } = event);
    const attempt = record.file.attempts;
    if (event.name === 'output') log.output(attempt, event.stream, event.line);
    else if (!NO_RECORD.has(event.name)) log.event(attempt, event.name, '', factsOf(event), levelOf(event));
    if (!NO_ROW.has(event.name)) index.event(attempt, event.name, factsOf(event));
    publish(event);
  };
  return {
    tell,
    summary: () => gatherer.summary(nowMs()),
    lastLines: () => lastLines,
    close: () => log.close(),
  };
}

function factsOf({ name: _, ...facts }: SupervisorEvent): object {
  return facts;
}

function levelOf(event: SupervisorEvent): 'info' | 'warn' | 'error' {
  switch (event.name) {
    case 'notice':
      return event.level === 'warning' ? 'warn' : event.level;
    case 'worker-ended':
      return event.class === 'completed' ? 'info' : 'error';
    case 'save-failed':
    case 'hang-detected':
    case 'diverged':
    case 'checkpoint-quarantined':
    case 'checkpoint-set-aside':
      return 'error';
    case 'trainer-changed':
    case 'power-cut':
    case 'ups-changed':
    case 'machine-going':
    case 'warning':
      return 'warn';
    default:
      return 'info';
  }
}
