/** What kind of place our words go to. Read once at start. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Terminal {
  /** A person can be asked: stdin and stderr are a terminal and we are its foreground job. */
  readonly interactive: boolean;
  /** stderr can hold one line that is rewritten in place. */
  readonly live: boolean;
  /** stdout is a screen that can be drawn anew, by the foreground job. */
  readonly liveOut: boolean;
  readonly colourOut: boolean;
  readonly colourErr: boolean;
  /** Columns of stdout, or null: nothing limits a line there. */
  columnsOut(): number | null;
  /** Lines of stdout, or null: there is no screen. */
  rowsOut(): number | null;
  /** Columns of stderr; 80 where there is no terminal to ask. */
  columnsErr(): number;
}

interface Place {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface TerminalSurroundings {
  readonly stdin: Place;
  readonly stdout: Place;
  readonly stderr: Place;
  readonly environment: NodeJS.ProcessEnv;
  readonly foreground: () => boolean;
}

export function describeTerminal(around: TerminalSurroundings): Terminal {
  const { stdin, stdout, stderr, environment } = around;
  const dumb = environment.TERM === 'dumb';
  const forced = forcedColours(environment);
  const colours = forced ?? (!dumb && !environment.NO_COLOR);
  const onScreen = stderr.isTTY === true && around.foreground();
  return {
    interactive: onScreen && stdin.isTTY === true,
    // A terminal of no columns (a serial line, a container's) has no line to rewrite: ora would count its rows for ever.
    live: onScreen && !dumb && stderr.columns !== 0,
    liveOut: stdout.isTTY === true && !dumb && stdout.columns !== 0 && around.foreground(),
    colourOut: colours && (forced === true || stdout.isTTY === true),
    colourErr: colours && (forced === true || stderr.isTTY === true),
    columnsOut: () => columnsOf(stdout, environment),
    rowsOut: () => (stdout.isTTY === true ? (stdout.rows ?? null) : null),
    columnsErr: () => columnsOf(stderr, environment) ?? 80,
  };
}

/** What FORCE_COLOR asks for, before NO_COLOR and wherever output goes, as in Node itself; null: it is not set. */
function forcedColours({ FORCE_COLOR: word }: NodeJS.ProcessEnv): boolean | null {
  if (word === undefined || word === '') return null;
  return word !== '0' && word.toLowerCase() !== 'false';
}

/** The terminal of this process. */
export function ownTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  return describeTerminal({ stdin, stdout, stderr, environment: env, foreground: inForeground });
}

/** False for a job that a shell put into the background (`&`): it must neither ask nor draw over the prompt. */
export function inForeground(): boolean {
  if (process.platform === 'win32') return true;
  try {
    const [group, foreground] =
      process.platform === 'linux' ? groupsFromStat(readFileSync('/proc/self/stat', 'utf8')) : groupsFromPs();
    return group === foreground;
  } catch {
    // Not knowable here: as careful as for a background job.
    return false;
  }
}

/** Process group and foreground group of the terminal, fields 5 and 8 of /proc/PID/stat (proc(5)). */
function groupsFromStat(stat: string): readonly [number, number] {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return [Number(fields[2]), Number(fields[5])];
}

function groupsFromPs(): readonly [number, number] {
  const fields = execFileSync('ps', ['-o', 'pgid=,tpgid=', '-p', String(process.pid)], { encoding: 'utf8' }).trim();
  const [group, foreground] = fields.split(/\s+/).map(Number);
  return [group ?? -1, foreground ?? -2];
}

function columnsOf(place: Place, environment: NodeJS.ProcessEnv): number | null {
  const own = place.isTTY === true ? place.columns : Number(environment.COLUMNS);
  return own !== undefined && Number.isInteger(own) && own > 0 ? own : null;
}
