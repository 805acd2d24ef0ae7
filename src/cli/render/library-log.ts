/**
 * What TensorFlow logs of itself, several lines at each start and more with each card: it stands in the session's log, and not
 * on the screen. Its errors do, and all that a trainer says.
 */

/** `2026-11-23 18:38:35.294261: I tensorflow/core/...`, since 2.16 also `I0000 00:00:1795459115.294261   19596 file.cc:227] ...`. */
const ROUTINE = [
  /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IW] \S+:\d+\] /,
  /^[IW]\d{4} \d\d:\d\d:\d+\.\d+ +\d+ \S+:\d+\] /,
  /^WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR$/,
  /^To enable the following instructions: .*rebuild TensorFlow with the appropriate compiler flags\.$/,
];

/** @param line of the worker's output, without its end */
export function isLibraryLog(stream: 'stdout' | 'stderr', line: string): boolean {
  return stream === 'stderr' && ROUTINE.some((pattern) => pattern.test(line));
}
