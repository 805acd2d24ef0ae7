/** The commands that reach a running session from another terminal: `save` and `stop`. */
import { KINDS } from '../control-flags.ts';
import type { SaveFlags, StopFlags } from '../flags.ts';
import { after, command, jsonOption, type Tree } from './branch.ts';

export function addSave({ program, choose }: Tree): void {
  command(program, 'save', 'save a running session now, from another terminal; waits until it is verified')
    .argument('[session]', 'id, unique beginning of an id, name, or latest (the running one)', 'latest')
    .option('--kind <kind>', `what to call the checkpoint: ${KINDS}`, 'manual')
    .option('--reason <text>', 'why; it is kept with the checkpoint')
    .option('--timeout <time>', 'how long to wait for the confirmed result (default: 10m)')
    .addOption(jsonOption())
    .addHelpText('after', () =>
      after(['nkat-recover save', 'nkat-recover save night --kind before-change --reason "new data tomorrow"']),
    )
    .action((session: string, options: SaveFlags) => {
      choose(async (own) => (await import('../commands/save.ts')).save(session, options, own));
    });
}

export function addStop({ program, choose }: Tree): void {
  command(program, 'stop', 'stop a running session with a save, as Ctrl-C would; waits until it has ended')
    .argument('[session]', 'id, unique beginning of an id, name, or latest (the running one)', 'latest')
    .option('--reason <text>', 'why; it is kept with the checkpoint and the attempt')
    .option('--timeout <time>', 'how long to wait for the end (default: 20m)')
    .addOption(jsonOption())
    .addHelpText('after', () => after(['nkat-recover stop', 'nkat-recover stop night --reason "the room gets warm"']))
    .action((session: string, options: StopFlags) => {
      choose(async (own) => (await import('../commands/stop.ts')).stop(session, options, own));
    });
}
