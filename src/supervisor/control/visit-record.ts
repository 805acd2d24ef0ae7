/**
 * What a worker says to a command that visits it, written down as by a supervisor: also what it had kept for its next one, which
 * hears none of it any more.
 */
import { dirname, join } from 'node:path';
import type { StoreFiles } from '../../checkpoint/files.ts';
import type { StoreLayout } from '../../checkpoint/layout.ts';
import type { SessionFile } from '../../checkpoint/types.ts';
import { DEFAULT_SETTINGS } from '../../config/settings.ts';
import { NkatError } from '../../errors.ts';
import type { SessionsDatabase } from '../../sessions/database.ts';
import type { WorkerReport } from '../channel-server.ts';
import { openEventSink } from '../event-sink.ts';
import { SessionIndex } from '../session-index.ts';
import { SessionRecord } from '../session-record.ts';
import { WorkerReports } from '../worker-reports.ts';

export interface VisitRecordOptions {
  readonly files: StoreFiles;
  readonly layout: StoreLayout;
  /** As read under the claim. */
  readonly file: SessionFile;
  readonly claim: number;
  readonly sessions: SessionsDatabase;
  /** Folder of all sessions' logs. */
  readonly logs: string;
}

export interface VisitRecord {
  take(message: WorkerReport): void;
  /** Durable when it resolves, as far as the disk allows: the directory of the checkpoints tells the same. */
  close(): Promise<void>;
}

export function openVisitRecord({ files, layout, file, claim, sessions, logs }: VisitRecordOptions): VisitRecord {
  const now = (): Date => new Date();
  const nowMs = (): number => performance.now();
  const record = new SessionRecord(files, layout.directory, file, now, nowMs);
  // Its worker is given this number.
  record.change({ claim });
  const index = new SessionIndex(sessions, layout.session, now);
  const outputDirectory = join(logs, layout.session);
  const publish = (): void => undefined;
  const { tell, close } = openEventSink({ directory: outputDirectory, index, record, publish, nowMs });
  const settings = { ...DEFAULT_SETTINGS, root: dirname(layout.directory), backups: layout.backups };
  const context = {
    files,
    layout,
    record,
    index,
    settings,
    outputDirectory,
    claim,
    tell,
    nowMs,
    now,
  };
  const reports = new WorkerReports(
    context,
    () => undefined,
    () => undefined,
  );
  return {
    take: (message) => reports.take(message),
    async close() {
      index.flush();
      try {
        await record.persist();
      } catch (error) {
        if (!(error instanceof NkatError)) throw error;
        tell({ name: 'notice', level: 'warning', message: `the session's record was not updated: ${error.message}` });
      } finally {
        close();
      }
    },
  };
}
