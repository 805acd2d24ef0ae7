/** What each setting's text means, as zod schemas from text to value. */
import { z } from 'zod';
import { parseDuration, parseShare, parseSize } from '../units.ts';
import { parseUps } from '../ups-address.ts';
import type { SettingKey } from './definitions.ts';

const OFF = /^(off|none)$/i;

export const settingSchemas = {
  dir: fromText(folder),
  backups: fromText(folder),
  saveEvery: fromText((text) => {
    if (/^auto$/i.test(text)) return 'auto' as const;
    return OFF.test(text) ? ('off' as const) : positive(parseDuration(text));
  }),
  saveEverySteps: fromText((text) => (OFF.test(text) ? ('off' as const) : wholeNumber(text, 1))),
  saveEveryEpochs: fromText((text) => (OFF.test(text) ? ('off' as const) : wholeNumber(text, 1))),
  saveOverhead: fromText((text) => positive(parseShare(text))),
  asyncSave: fromText(yesOrNo),
  keep: fromText((text) => wholeNumber(text, 1)),
  keepBytes: fromText((text) => (OFF.test(text) ? ('off' as const) : positive(parseSize(text)))),
  best: fromText((text) => {
    if (OFF.test(text)) return 'off' as const;
    const match = /^(\S(?:.*\S)?):(min|max)$/.exec(text);
    return match?.[1] === undefined
      ? null
      : { metric: match[1], mode: match[2] === 'min' ? ('min' as const) : ('max' as const) };
  }),
  onFullDisk: fromText((text) => (/^(continue|pause)$/i.test(text) ? fullDiskMode(text) : null)),
  bestMinDelta: fromText((text) => {
    if (OFF.test(text)) return 'off' as const;
    return /^[\d.]+(e-?\d+)?$/i.test(text) ? finite(Number(text)) : null;
  }),
  maxRestarts: fromText((text) => (OFF.test(text) ? ('off' as const) : wholeNumber(text, 0))),
  backoff: fromText((text) => positive(parseDuration(text))),
  noRestartCodes: fromText((text) => {
    if (OFF.test(text)) return [];
    const codes = text.split(/[\s,]+/).map((word) => wholeNumber(word, 1));
    return codes.every((code) => code !== null && code <= 255) ? codes.filter((code) => code !== null) : null;
  }),
  grace: fromText((text) => (/^auto$/i.test(text) ? ('auto' as const) : positive(parseDuration(text)))),
  hangAfter: fromText((text) => positive(parseDuration(text))),
  phaseLimit: fromText((text) => positive(parseDuration(text))),
  orphanLimit: fromText((text) => (OFF.test(text) ? ('off' as const) : positive(parseDuration(text)))),
  powerSettle: fromText((text) => (OFF.test(text) ? ('off' as const) : positive(parseDuration(text)))),
  ups: fromText((text) => (OFF.test(text) ? ('off' as const) : parseUps(text))),
  killWait: fromText((text) => positive(parseDuration(text))),
  requireGpu: fromText(yesOrNo),
  gpuProfile: fromText((text) => (OFF.test(text) ? ('off' as const) : cardProfile(text))),
  waitForGpu: fromText(yesOrNo),
  deterministic: fromText(yesOrNo),
  allowFresh: fromText(yesOrNo),
} satisfies Record<SettingKey, z.ZodType>;

export type SettingValues = { readonly [K in SettingKey]: z.infer<(typeof settingSchemas)[K]> };

/** A schema of a text that `read` understands; what it answers with `null` is refused. */
function fromText<T>(read: (text: string) => T | null) {
  return z.string().transform((text, context): T => {
    const value = read(text.trim());
    if (value !== null) return value;
    context.addIssue({ code: 'custom', message: 'not understood' });
    return z.NEVER;
  });
}

/** A path cannot hold the character that ends texts for the system. */
function folder(text: string): string | null {
  return text === '' || text.includes('\0') ? null : text;
}

function cardProfile(text: string): 'rtx3080' | null {
  return /^rtx[ _-]?3080$/i.test(text) ? 'rtx3080' : null;
}

function fullDiskMode(text: string): 'continue' | 'pause' {
  return text.toLowerCase() === 'pause' ? 'pause' : 'continue';
}

function wholeNumber(text: string, least: number): number | null {
  if (!/^\d+$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= least ? value : null;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function positive(value: number | null): number | null {
  return value !== null && value > 0 ? value : null;
}

function yesOrNo(text: string): boolean | null {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  return /^(0|false|no|off)$/i.test(text) ? false : null;
}
