/** The command that prints a shell's completion, and the hidden one that the shell then asks. */
import { Argument } from 'commander';
import type { Shell } from '../commands/completion.ts';
import { after, command, oneOf, type Tree } from './branch.ts';

const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish'];

export function addCompletion({ program, choose }: Tree): void {
  command(program, 'completion', 'print a script that completes commands, options and sessions in your shell')
    .addArgument(oneOf(new Argument('<shell>', 'the shell that reads it'), SHELLS))
    .addHelpText('after', () =>
      after([
        'eval "$(nkat-recover completion bash)"        in ~/.bashrc',
        'eval "$(nkat-recover completion zsh)"         in ~/.zshrc, after compinit',
        'nkat-recover completion fish > ~/.config/fish/completions/nkat-recover.fish',
      ]),
    )
    .action((shell: Shell) => {
      choose(async (own) => (await import('../commands/completion.ts')).completion(shell, program, own));
    });
}

export function addCompleteSessions({ program, choose }: Tree): void {
  program.command('complete-sessions', { hidden: true }).action(() => {
    choose(async (own) => (await import('../commands/completion.ts')).completeSessions(own));
  });
}
