/** What messages of both directions are made of. */
import { type Infer, integer, list, literal, number, oneOf, record, string } from '../schema.ts';

export const PROTOCOL_VERSION = 1;
/** Longest line in bytes, newline included; longer ones are reported and dropped. */
export const MAX_LINE_BYTES = 1024 * 1024;

/** Longest free text (reasons, messages, paths) in UTF-16 units; senders shorten reasons and messages to it. */
export const MAX_TEXT = 16_384;

export const v = literal(PROTOCOL_VERSION);
export const count = integer(0);
export const ms = number(0);
export const text = string(MAX_TEXT);
export const metrics = record(number(), 256);
/** Longest name and number of a version, and how many there are; senders cut to it. */
export const MOST_VERSIONS = 32;
export const VERSION_TEXT = 64;
export const versions = record(string(VERSION_TEXT), MOST_VERSIONS);
export const kinds = list(string(32, /^[a-z0-9-]{1,32}$/), 1, 16);

export const PHASES = ['load', 'compile', 'train', 'eval', 'save'] as const;
export const phase = oneOf(PHASES);
export type Phase = Infer<typeof phase>;
