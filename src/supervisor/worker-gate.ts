/**
 * Who may speak as the worker. The token alone does not tell: it stands in the environment, which every process that the
 * trainer starts inherits. So the speaker must be of the launched attempt, and the first that spoke keeps its place while
 * it lives. (Several ranks would each have a place of their own here.)
 *
 * A worker in a container of its own (`docker run` as the command) states a pid that means nothing here, and its process
 * hangs below a daemon, not below the launcher. There the token has to do: it comes in while what was launched lives and
 * nobody else speaks.
 *
 * A hello states its own pid: this keeps out what is there by accident, not a liar who runs as the same user.
 */
import { identityOf, isAlive, pidNamespace } from '../checkpoint/process-identity.ts';
import type { ProcessIdentity, WorkerIdentity } from '../checkpoint/types.ts';
import { ENVIRONMENT } from '../protocol/messages.ts';
import type { Hello, Refusal } from './channel-server.ts';
import { hasEnvironment, processRow } from './process-table.ts';

/** Deeper than any real chain of launchers; a bound, should the table change while it is walked. */
const MAX_DEPTH = 64;

export class WorkerGate {
  readonly #session: string;
  /** Who spoke first for the attempt. */
  #speaker: { readonly attempt: number; readonly identity: ProcessIdentity } | null = null;
  /** Who spoke first for the attempt from where we see no pids. */
  #unseen: { readonly attempt: number; readonly who: string } | null = null;

  constructor(session: string) {
    this.#session = session;
  }

  /**
   * Null: it is the worker.
   *
   * @param attempts number of the present attempt
   * @param worker what was launched for it; null or of another attempt: not recorded yet
   */
  refusalOf(
    { attempt, pid, pidNamespace: namespace }: Pick<Hello, 'attempt' | 'pid' | 'pidNamespace'>,
    attempts: number,
    worker: WorkerIdentity | null,
  ): Refusal | null {
    if (attempt !== attempts) {
      return { code: 'fenced', message: `attempt ${attempt} is over; attempt ${attempts} has taken its place` };
    }
    const speaker = this.#speaker?.attempt === attempt ? this.#speaker.identity : null;
    const foreign = isForeign(namespace);
    if (speaker !== null && (foreign || speaker.pid !== pid) && isAlive(speaker)) {
      return { code: 'session', message: `attempt ${attempt} has its worker already: pid ${speaker.pid}, not ${pid}` };
    }
    const identity = foreign ? null : identityOf(pid);
    const launched = worker?.attempt === attempt ? worker.group : null;
    if (identity === null) return this.#unseenRefusal(attempt, `pid ${pid} of ${namespace ?? 'nowhere'}`, launched);
    if (!this.#belongs(pid, attempt, launched)) {
      return { code: 'session', message: `pid ${pid} is no process of attempt ${attempt}` };
    }
    this.#speaker = { attempt, identity };
    return null;
  }

  /** Its life cannot be seen, so it keeps its place, but not against a worker that can be seen to be one. */
  #unseenRefusal(attempt: number, who: string, launched: ProcessIdentity | null): Refusal | null {
    if (launched === null || !isAlive(launched)) {
      return { code: 'session', message: `${who} is no process of attempt ${attempt}, of which nothing lives` };
    }
    const before = this.#unseen?.attempt === attempt ? this.#unseen.who : null;
    if (before !== null && before !== who) {
      return { code: 'session', message: `attempt ${attempt} has its worker already: ${before}, not ${who}` };
    }
    this.#unseen = { attempt, who };
    return null;
  }

  /** In the group of the launcher, below it, or, where the chain to it is broken, started with its environment. */
  #belongs(pid: number, attempt: number, launched: ProcessIdentity | null): boolean {
    if (launched !== null && descends(pid, launched.pid)) return true;
    return (
      hasEnvironment(pid, ENVIRONMENT.session, this.#session) &&
      hasEnvironment(pid, ENVIRONMENT.attempt, String(attempt))
    );
  }
}

function descends(pid: number, leader: number): boolean {
  let row = processRow(pid);
  if (row?.group === leader) return true;
  for (let depth = 0; row !== null && depth < MAX_DEPTH; depth += 1) {
    if (row.pid === leader) return true;
    row = processRow(row.parent);
  }
  return false;
}

/** True where the worker counts its pids elsewhere than we do: the same number is another process here. */
export function isForeign(namespace: string | null): boolean {
  const own = pidNamespace();
  return namespace !== null && own !== null && namespace !== own;
}
