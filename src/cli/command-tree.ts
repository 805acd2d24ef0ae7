/**
 * The commander tree. Each command's file is loaded when it is called, so that `--help` loads none of them. The
 * commands stand in the order in which `--help` shows them.
 */
import { Command } from 'commander';
import type { CommandContext } from './context.ts';
import { addBackend } from './tree/backend.ts';
import { type Action, after } from './tree/branch.ts';
import { addCompleteSessions, addCompletion } from './tree/completion.ts';
import { addSave, addStop } from './tree/control.ts';
import { addDoctor, addExplain, addGpu, addList, addLogs, addShow } from './tree/looking.ts';
import { addRecover, addService } from './tree/power.ts';
import { addDrill, addVerify } from './tree/proving.ts';
import { addConfig } from './tree/settings.ts';
import { addResume, addRun } from './tree/training.ts';
import { addPrune, addRepair } from './tree/upkeep.ts';
import { ownVersion } from './version.ts';

/**
 * The tree, with each command's action handed to `choose` once it was parsed.
 *
 * @param argv the words after the program's name, untouched
 * @param trailing what followed `--` in `resume`; null: no `--`
 */
export function buildProgram(
  context: CommandContext,
  argv: readonly string[],
  trailing: readonly string[] | null,
  choose: (action: Action) => void,
): Command {
  const program = new Command('nkat-recover')
    .description('Keeps a training run alive through power cuts, crashes, hangs and Ctrl-C.')
    .version(ownVersion(), '--version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.streams.out(text),
      writeErr: (text) => context.streams.err(text),
      getOutHelpWidth: () => context.terminal.columnsOut() ?? 100,
      getErrHelpWidth: () => context.terminal.columnsErr(),
      outputError: (text, write) => write(text.replace(/^error: /, 'nkat-recover: ')),
    })
    .addHelpText('after', () =>
      after([
        'nkat-recover run train.ts --epochs 100     start; the same line again continues',
        'nkat-recover list                          every session on this machine',
        'nkat-recover resume latest                 continue the newest one',
      ]),
    );
  const tree = { program, choose, argv, trailing };
  addRun(tree);
  addResume(tree);
  addRecover(tree);
  addService(tree);
  addConfig(tree);
  addList(tree);
  addShow(tree);
  addExplain(tree);
  addSave(tree);
  addStop(tree);
  addLogs(tree);
  addGpu(tree);
  addDoctor(tree);
  addBackend(tree);
  addVerify(tree);
  addDrill(tree);
  addRepair(tree);
  addPrune(tree);
  addCompletion(tree);
  addCompleteSessions(tree);
  return program;
}
