import type { Command } from 'commander';
import { newestSessions } from '../../sessions/newest-sessions.ts';
import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { completionModel } from '../completion/model.ts';
import { zshCompletion } from '../completion/zsh.ts';
import type { CommandContext } from '../context.ts';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };
export type Shell = keyof typeof SCRIPTS;

/** A person picks from the newest; older ones are typed. */
const OFFERED = 50;

/** `completion`: a script that completes every command and option of this very program. */
export async function completion(shell: Shell, program: Command, context: CommandContext): Promise<number> {
  context.streams.out(SCRIPTS[shell](completionModel(program)));
  return 0;
}

/** What the scripts ask for at each Tab: ids and names, a tab, and what they are. Never a word of trouble. */
export async function completeSessions({ home, streams }: CommandContext): Promise<number> {
  streams.out('latest\tthe newest session\n');
  for (const { id, name, state, trainer } of newestSessions(home.database, OFFERED)) {
    const words = /^[\w.@%+-]+$/.test(name ?? '') ? [id, name] : [id];
    const what = `${state}, ${trainer}`.replaceAll(/\s+/g, ' ');
    for (const word of words) streams.out(`${word}\t${what}\n`);
  }
  return 0;
}
