/** The tables of one connection. */
import type { Database } from 'better-sqlite3';
import { AttemptsTable } from './attempts-table.ts';
import { CheckpointsTable } from './checkpoints-table.ts';
import { DrillsTable } from './drills-table.ts';
import { EventsTable } from './events-table.ts';
import { FactsTable } from './facts-table.ts';
import { GpuSamplesTable } from './gpu-samples-table.ts';
import { SavesTable } from './saves-table.ts';
import { SessionsTable } from './sessions-table.ts';
import { TransitionsTable } from './transitions-table.ts';

export interface Tables {
  readonly sessions: SessionsTable;
  readonly attempts: AttemptsTable;
  readonly checkpoints: CheckpointsTable;
  readonly transitions: TransitionsTable;
  readonly events: EventsTable;
  readonly saves: SavesTable;
  readonly drills: DrillsTable;
  readonly facts: FactsTable;
  readonly gpuSamples: GpuSamplesTable;
}

export function tablesOf(database: Database): Tables {
  return {
    sessions: new SessionsTable(database),
    attempts: new AttemptsTable(database),
    checkpoints: new CheckpointsTable(database),
    transitions: new TransitionsTable(database),
    events: new EventsTable(database),
    saves: new SavesTable(database),
    drills: new DrillsTable(database),
    facts: new FactsTable(database),
    gpuSamples: new GpuSamplesTable(database),
  };
}
