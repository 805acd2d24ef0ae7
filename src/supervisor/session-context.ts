/** What every acting part of one supervised session works with. */
import type { StoreFiles } from '../checkpoint/files.ts';
import type { StoreLayout } from '../checkpoint/layout.ts';
import type { RunSettings } from '../config/settings.ts';
import type { SupervisorEvent } from './events.ts';
import type { SessionIndex } from './session-index.ts';
import type { SessionRecord } from './session-record.ts';

export interface SessionContext {
  readonly files: StoreFiles;
  readonly layout: StoreLayout;
  readonly record: SessionRecord;
  readonly index: SessionIndex;
  readonly settings: RunSettings;
  /** `<logs>/<session>`: worker output, exit records, session log. */
  readonly outputDirectory: string;
  readonly claim: number;
  /** To the screen, the log, the events table and the summary. */
  readonly tell: (event: SupervisorEvent) => void;
  /** Monotonic, in milliseconds. */
  readonly nowMs: () => number;
  readonly now: () => Date;
}
