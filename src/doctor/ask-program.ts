/** A program of ours in a child, for what might hang: it answers in JSON, or it is killed and nobody waits for it. */
import { spawn } from 'node:child_process';

export type ProgramAnswer<T> =
  | { readonly kind: 'answered'; readonly value: T }
  /** It ended without an answer. */
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'silent'; readonly forMs: number };

const MAX_BYTES = 256 * 1024;
const LAST_WORDS = 400;

export interface ProgramQuestion<T extends { readonly kind: string }> {
  /** Path of a built file, started by our own Node. */
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly limitMs: number;
  /** What may stand in the answer's `kind`: whatever else was printed last is no answer. */
  readonly kinds: readonly T['kind'][];
}

export function askProgram<T extends { readonly kind: string }>(
  question: ProgramQuestion<T>,
): Promise<ProgramAnswer<T>> {
  const { program, args, environment, limitMs, kinds } = question;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...args], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let text = '';
    let errors = '';
    const answer = (given: ProgramAnswer<T>): void => {
      clearTimeout(timer);
      resolve(given);
    };
    // One that a disk or a driver holds in the kernel cannot be killed: it is left.
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      answer({ kind: 'silent', forMs: limitMs });
    }, limitMs);
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      if (text.length < MAX_BYTES) text += part;
    });
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      errors = (errors + part).slice(-LAST_WORDS);
    });
    child.on('error', ({ message }) => answer({ kind: 'failed', reason: message }));
    child.on('close', (code, signal) => answer(readAnswer(text, errors, signal ?? code, kinds)));
  });
}

/** A library may print lines of its own before ours, which is the last. */
function readAnswer<T extends { readonly kind: string }>(
  text: string,
  errors: string,
  ending: string | number | null,
  kinds: readonly T['kind'][],
): ProgramAnswer<T> {
  const value = readJson(text.trimEnd().split('\n').at(-1) ?? '');
  const said = errors.trim().split('\n').at(-1) ?? '';
  const isAnswer = (each: unknown): each is T =>
    typeof each === 'object' && each !== null && 'kind' in each && kinds.some((kind) => kind === each.kind);
  if (isAnswer(value)) return { kind: 'answered', value };
  return { kind: 'failed', reason: said === '' ? `it ended with ${ending}` : `it ended with ${ending}: ${said}` };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}
