/** Flags of the commands, as commander hands them over. */

export interface JsonFlag {
  readonly json?: boolean;
}

export interface ListFlags extends JsonFlag {
  readonly limit?: string;
  readonly all?: boolean;
}

export interface VerifyFlags extends JsonFlag {
  readonly level: string;
  readonly all?: boolean;
}

/** Flags of `run` and `resume` beside the settings, which `config/layers.ts` reads by key. */
export interface SupervisionFlags extends JsonFlag, Readonly<Record<string, unknown>> {
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
