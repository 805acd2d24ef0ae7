/** What starts `recover` when the machine comes up, as text. Pure. */
import { cronWord } from './crontab.ts';

/** What is started, and with what. */
export interface ServiceProgram {
  /** Absolute: node, the program, `recover` and its options. */
  readonly words: readonly string[];
  /** Variables that it is to be started with: the state home, above all. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * A unit for systemd. It tells when it is ready, that it lives, and that a save needs more time, through `sd_notify`.
 *
 * `process`: at a stop only `recover` hears it, and hands it on to the supervisors, which save. What trains does not end with
 * `recover`: killed, it is started again and finds what needs it. `continue`: one trainer that took too much memory is no
 * reason to stop the others.
 */
export function unitText({ words, environment }: ServiceProgram, wantedBy: string): string {
  const variables = Object.entries(environment).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`);
  return [
    '# Written by nkat-recover service install; nkat-recover service remove takes it away.',
    '[Unit]',
    'Description=nkat-recover: brings interrupted training back',
    '',
    '[Service]',
    'Type=notify',
    'NotifyAccess=all',
    ...variables,
    `ExecStart=${words.map((word) => quoted(word).replaceAll('$', '$$$$')).join(' ')}`,
    'KillMode=process',
    'OOMPolicy=continue',
    'Restart=on-abnormal',
    'RestartSec=5',
    'TimeoutStartSec=infinity',
    'TimeoutStopSec=90',
    'WatchdogSec=300',
    '# Stopped with everything saved; another recovery was faster.',
    'SuccessExitStatus=75 73',
    '',
    '[Install]',
    `WantedBy=${wantedBy}`,
    '',
  ].join('\n');
}

/** A line for the crontab of this user. @param log what it says goes there */
export function rebootEntry({ words, environment }: ServiceProgram, log: string): string {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${cronWord(value)}`);
  return ['@reboot', ...variables, ...words.map(cronWord), '>>', cronWord(log), '2>&1'].join(' ');
}

/** One word of a unit file. Source: systemd.syntax(7), "Quoting"; `%` begins a specifier. */
function quoted(word: string): string {
  if (/[\r\n\0]/.test(word)) throw new RangeError('a word of a unit is one line');
  return `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
}
