/** V8 ran out of its heap: its last words, and what gives it more. Pure. */

/** V8's own end of the process; of a thread that hits its limit, Node's error. Source: node 20 and 24, observed. */
const FULL = /FATAL ERROR: .*JavaScript heap out of memory/;
const FULL_THREAD = /\bERR_WORKER_OUT_OF_MEMORY\b/;
/** What was left in use after the last collections, in MB: "Mark-Compact 47.6 (80.6) -> 47.6 (80.6) MB". */
const COLLECTED = /Mark-(?:Compact|sweep)\b.*-> (\d+(?:\.\d+)?) \(/i;
const ABORTS: ReadonlySet<string> = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL']);
/** 128 + SIGABRT, where a shell between us and Node told of it. */
const ABORT_CODE = 134;
const STEP_MB = 1_024;
const LEAST_MB = 4_096;

export interface FullHeap {
  /** How, in one sentence. */
  readonly reason: string;
  readonly hint: string;
}

/** Null: it ended for something else. @param lines its last words on stderr */
export function fullHeap(
  { code, signal }: { readonly code: number | null; readonly signal: string | null },
  lines: readonly string[],
): FullHeap | null {
  const how = signal ?? `exit code ${code}`;
  if (lines.some((line) => FULL_THREAD.test(line)) && (code ?? 0) !== 0) {
    return {
      reason: `${how}: a thread of the trainer ran out of its JavaScript heap`,
      hint: 'Give the thread more with resourceLimits: { maxOldGenerationSizeMb } where it is made, or keep less in it.',
    };
  }
  const aborted = signal === null ? code === ABORT_CODE : ABORTS.has(signal);
  if (!aborted || !lines.some((line) => FULL.test(line))) return null;
  const usedMb = Number(lines.map((line) => COLLECTED.exec(line)?.[1]).findLast((found) => found !== undefined) ?? 0);
  const full = usedMb > 0 ? ` at ${Math.round(usedMb)} MB` : '';
  const moreMb = Math.max(LEAST_MB, Math.ceil((2 * usedMb) / STEP_MB) * STEP_MB);
  return {
    reason: `${how}: V8's JavaScript heap was full${full}`,
    hint: `Give it more, in MB: NODE_OPTIONS=--max-old-space-size=${moreMb} before nkat-recover, which the trainer inherits. Typed arrays and tensors lie outside of that heap.`,
  };
}
