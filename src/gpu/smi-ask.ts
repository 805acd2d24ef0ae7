/** One question to nvidia-smi, with a limit on time and on the length of the answer. Whatever goes wrong is data. */
import { spawn } from 'node:child_process';
import { errnoOf } from '../errors.ts';
import type { SmiCommand } from './smi-command.ts';
import { missingTrouble, type SmiTrouble, stuckTrouble, troubleOf } from './smi-trouble.ts';

export interface AskLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Aborted: nobody wants the answer any more. */
  readonly signal?: AbortSignal;
}

export type SmiAnswer =
  | { readonly kind: 'answered'; readonly text: string }
  /** `said`: its last words, on either stream. */
  | { readonly kind: 'trouble'; readonly trouble: SmiTrouble; readonly said: string };

/** Errors come on either stream: nvidia-smi prints most of them to stdout. */
const LAST_WORDS = 600;

/**
 * A process that a hanging driver holds in the kernel cannot even be killed: it is told to die and left, and nobody waits for it.
 */
export function askSmi(command: SmiCommand, args: readonly string[], limits: AskLimits): Promise<SmiAnswer> {
  return new Promise((resolve) => {
    const child = spawn(command.program, args, {
      env: command.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const parts: Buffer[] = [];
    let bytes = 0;
    let errors = '';
    const timer = setTimeout(() => leave(stuckTrouble(limits.timeoutMs)), limits.timeoutMs);
    const giveUp = (): void =>
      leave({ kind: 'failed', words: 'nobody waited for the answer of nvidia-smi', hint: null });
    const answer = (given: SmiAnswer): void => {
      clearTimeout(timer);
      limits.signal?.removeEventListener('abort', giveUp);
      resolve(given);
    };
    const leave = (trouble: SmiTrouble): void => {
      child.kill('SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      answer({ kind: 'trouble', trouble, said: '' });
    };
    limits.signal?.addEventListener('abort', giveUp);
    if (limits.signal?.aborted === true) giveUp();
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      parts.push(chunk);
      if (bytes > limits.maxBytes) {
        leave({ kind: 'failed', words: `nvidia-smi answered with more than ${limits.maxBytes} bytes`, hint: null });
      }
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString('utf8')).slice(-LAST_WORDS);
    });
    child.on('error', (error) => {
      const trouble = missingTrouble(command.program, errnoOf(error) ?? error.message);
      answer({ kind: 'trouble', trouble, said: '' });
    });
    child.on('close', (code) => {
      const text = Buffer.concat(parts).toString('utf8');
      if (code === 0) answer({ kind: 'answered', text });
      else {
        const said = `${errors}\n${text.slice(-LAST_WORDS)}`;
        answer({ kind: 'trouble', trouble: troubleOf(code, said), said });
      }
    });
  });
}
