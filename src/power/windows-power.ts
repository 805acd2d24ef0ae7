/**
 * What Windows tells of its sleep, heard through a PowerShell: Node hears of no power event. Texts and rules; pure.
 *
 * The script waits for events and asks nobody anything. It ends with us, however we die: Windows ends no child with its parent.
 */

/** Nobody needs to know of a sleep sooner after a PowerShell that failed; each time twice as long. */
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 600_000;
/** One that listened for so long was a good one: the next failure counts as the first. */
const STEADY_MS = 60_000;

/** EventType of Win32_PowerManagementEvent. Source: Microsoft, "Win32_PowerManagementEvent class". */
const SUSPENDS = 4;
const RESUMED_BY_USER = 7;
const RESUMED_BY_ITSELF = 18;

export type WindowsPowerLine =
  | { readonly kind: 'listening' }
  /** `begins`: false when it is awake again; that may be said twice. */
  | { readonly kind: 'sleep'; readonly begins: boolean };

/** @param parentPid with whose end it ends */
export function powerScript(parentPid: number): string {
  return [
    "$ErrorActionPreference = 'Stop'",
    `$parent = Get-Process -Id ${parentPid}`,
    '$parent.EnableRaisingEvents = $true',
    "$null = Register-ObjectEvent -InputObject $parent -EventName Exited -SourceIdentifier 'parent'",
    "$null = Register-CimIndicationEvent -Query 'SELECT * FROM Win32_PowerManagementEvent' -SourceIdentifier 'power'",
    "[Console]::Out.WriteLine('listening')",
    'for (;;) {',
    '  $told = Wait-Event',
    '  Remove-Event -EventIdentifier $told.EventIdentifier',
    "  if ($told.SourceIdentifier -eq 'parent') { exit 0 }",
    "  [Console]::Out.WriteLine('power ' + $told.SourceEventArgs.NewEvent.EventType)",
    '}',
  ].join('\n');
}

/** Arguments of `powershell.exe`; encoded, so that nothing between us and it takes a quote for its own. */
export function powerShellWords(script: string): readonly string[] {
  const encoded = Buffer.from(script, 'utf16le').toString('base64');
  return ['-NoLogo', '-NoProfile', '-NonInteractive', '-EncodedCommand', encoded];
}

/** Null: an event that is none of ours (a change from battery to line, say), or no line of the script. */
export function readPowerLine(line: string): WindowsPowerLine | null {
  if (line.trim() === 'listening') return { kind: 'listening' };
  const [, number] = /^power (\d{1,9})\s*$/.exec(line) ?? [];
  switch (Number(number)) {
    case SUSPENDS:
      return { kind: 'sleep', begins: true };
    case RESUMED_BY_USER:
    case RESUMED_BY_ITSELF:
      return { kind: 'sleep', begins: false };
    default:
      return null;
  }
}

export interface PowerShellEnd {
  /** How many failed in a row before this one. */
  readonly failures: number;
  /** How long it listened, in ms; null: it never did. */
  readonly listenedMs: number | null;
  /** There is no such program. */
  readonly isMissing: boolean;
}

/** `restMs`: until another is started; null: never, there is none. */
export function afterPowerShell(end: PowerShellEnd): { readonly failures: number; readonly restMs: number | null } {
  const failures = end.listenedMs !== null && end.listenedMs >= STEADY_MS ? 1 : end.failures + 1;
  if (end.isMissing) return { failures, restMs: null };
  return { failures, restMs: Math.min(FIRST_REST_MS * 2 ** Math.min(failures - 1, 30), LONGEST_REST_MS) };
}
