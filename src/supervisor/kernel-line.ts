/** One line of the kernel's log, in the three forms in which it can be had. Pure. */

export interface KernelLine {
  /** Microseconds since boot; null where the log was printed without times. */
  readonly atUs: number | null;
  readonly message: string;
}

/** One record of `/dev/kmsg`: `priority,sequence,microseconds,flags;message`. Source: dev-kmsg in the kernel's ABI. */
export function readKmsgRecord(record: string): KernelLine | null {
  const match = /^\d+,\d+,(\d+),[^;]*;([^\n]*)/.exec(record);
  return match === null ? null : { atUs: Number(match[1]), message: match[2] ?? '' };
}

/**
 * One line of `dmesg` or `journalctl -o short-monotonic`: `[seconds.microseconds] message`; the journal puts the host's name and
 * `kernel: ` before the message.
 */
export function readPrintedLine(line: string): KernelLine {
  const match = /^\[\s*(\d+)\.(\d{6})\]\s?(?:\S+ kernel: )?(.*)$/.exec(line);
  if (match === null) return { atUs: null, message: line };
  return { atUs: Number(match[1]) * 1_000_000 + Number(match[2]), message: match[3] ?? '' };
}
