/** A command that systemd started tells it how it goes; under nobody's eyes it tells nothing. */
import { SystemdNotify } from '../../power/systemd-notify.ts';
import type { SupervisorEvent } from '../../supervisor/events.ts';
import type { CommandContext } from '../context.ts';
import { line } from '../render/line.ts';
import { paintLine, paintWith } from '../render/paint.ts';

/** Null: no systemd listens. The caller closes it at its end. */
export function systemdOf({ environment, streams, terminal }: CommandContext): SystemdNotify | null {
  return SystemdNotify.take(environment, (message) =>
    streams.err(paintLine(paintWith(terminal.colourErr), line(`nkat-recover: ${message}`, 'warning', 'always'))),
  );
}

/** @param name of the session, where several are told of; null: there is one */
export function tellSystemd(systemd: SystemdNotify, name: string | null, event: SupervisorEvent): void {
  const prefix = name === null ? '' : `${name}: `;
  switch (event.name) {
    case 'session-opened':
      systemd.ready();
      return;
    case 'progress':
      systemd.status(`${prefix}step ${event.step}${event.loss === null ? '' : `, loss ${event.loss}`}`);
      return;
    case 'stop-requested':
      systemd.stopping(`${prefix}saving before it stops`);
      return;
    default:
  }
}
