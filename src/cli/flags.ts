/** Flags of the commands, as commander hands them over. */
import type { LogLevel } from './log-filter.ts';

export interface JsonFlag {
  readonly json?: boolean;
}

export interface GpuFlags extends JsonFlag {
  readonly once?: boolean;
  readonly watch?: boolean;
}

export interface ListFlags extends JsonFlag {
  readonly limit?: string;
  readonly all?: boolean;
}

export interface VerifyFlags extends JsonFlag {
  readonly level: string;
  readonly all?: boolean;
}

export interface StopFlags extends JsonFlag {
  readonly reason?: string;
  readonly timeout?: string;
}

export interface LogsFlags extends JsonFlag {
  readonly follow?: boolean;
  readonly attempt?: string;
  readonly level: LogLevel;
  readonly grep?: string;
  readonly lines?: string;
}

export interface SaveFlags extends StopFlags {
  readonly kind: string;
}

/** Flags that say which settings count, beside the settings themselves, which `config/layers.ts` reads by key. */
export interface SettingFlags extends Readonly<Record<string, unknown>> {
  /** False: `--no-config`. */
  readonly config?: string | false;
  readonly profile?: string;
}

export interface SupervisionFlags extends JsonFlag, SettingFlags {
  readonly quiet?: boolean;
  readonly takeOver?: boolean;
}

export interface RunFlags extends SupervisionFlags {
  readonly name?: string;
  readonly new?: boolean;
  readonly resume?: boolean;
}

export interface ResumeFlags extends SupervisionFlags {
  readonly from?: string;
}

export interface ConfigFlags extends JsonFlag, SettingFlags {
  readonly all?: boolean;
}

export interface PruneFlags extends JsonFlag {
  readonly all?: boolean;
  readonly quarantine?: boolean;
  readonly keep?: string;
  readonly keepBytes?: string;
  readonly olderThan?: string;
  readonly deleteSession?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export interface RecoverFlags extends JsonFlag {
  readonly parallel?: string;
  readonly diskWait?: string;
  readonly maxAge?: string;
  readonly dryRun?: boolean;
  readonly quiet?: boolean;
}

export interface ServiceFlags extends JsonFlag {
  readonly cron?: boolean;
  readonly dryRun?: boolean;
}

export interface RepairFlags extends JsonFlag {
  readonly root?: string;
  readonly dryRun?: boolean;
}

export interface DrillFlags extends JsonFlag {
  readonly all?: boolean;
  readonly level?: string;
  readonly within?: string;
  readonly inject?: string;
  readonly history?: boolean;
  readonly device?: string;
  readonly timeout?: string;
}

export interface DrillScheduleFlags extends JsonFlag {
  readonly cron?: string;
  readonly all?: boolean;
  readonly level?: string;
  readonly within?: string;
  readonly inject?: string;
  readonly list?: boolean;
  readonly remove?: boolean;
  readonly dryRun?: boolean;
}

export interface BackendRemoveFlags extends JsonFlag {
  readonly cpu?: boolean;
  readonly cuda12?: boolean;
}

export interface BackendInstallFlags extends BackendRemoveFlags {
  readonly tensorflow?: string;
  readonly nodedir?: string;
}
