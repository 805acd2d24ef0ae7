/** What `--inject` asks for: faults that a rehearsal is to survive. */
import { NkatError } from '../../errors.ts';
import { parseDuration, parseSize } from '../../units.ts';

export type Injection =
  | { readonly kind: 'corrupt-newest' | 'kill' | 'disk-full' | 'gpu-lost' }
  | { readonly kind: 'memory'; readonly bytes: number }
  | { readonly kind: 'gpus'; readonly indices: readonly number[] }
  | { readonly kind: 'random-kill'; readonly ms: number };

/** One that was asked for, in the words it was asked in, and what came of it. */
export interface Injected {
  readonly name: string;
  /** The session came back from it. */
  readonly ok: boolean;
  readonly text: string;
}

export interface NamedInjection {
  readonly name: string;
  readonly injection: Injection;
}

const ACCEPTED = 'corrupt-newest, kill, disk-full, memory=1G, gpu-lost, gpus=0,2,3, random-kill=60s';

/** Pure. Each kind once, in the order in which they are asked for. @throws NkatError `usage` */
export function parseInjections(text: string): readonly NamedInjection[] {
  const names: string[] = [];
  for (const part of text.split(',').map((own) => own.trim())) {
    const last = names.at(-1);
    // The cards of `gpus=0,2,3` stand between commas too.
    if (/^\d+$/.test(part) && last?.startsWith('gpus=') === true) names[names.length - 1] = `${last},${part}`;
    else names.push(part);
  }
  const found = names.map((name) => ({ name, injection: injectionOf(name) }));
  const kinds = found.map(({ injection }) => injection.kind);
  const twice = kinds.find((kind, at) => kinds.indexOf(kind) !== at);
  if (twice !== undefined) throw refusal(`--inject names ${twice} twice`);
  if (kinds.includes('gpus') && kinds.includes('gpu-lost')) throw refusal('--inject takes gpus or gpu-lost, not both');
  return found;
}

function injectionOf(name: string): Injection {
  const [kind = '', value = null] = splitOnce(name);
  switch (kind) {
    case 'corrupt-newest':
    case 'kill':
    case 'disk-full':
    case 'gpu-lost':
      if (value === null) return { kind };
      break;
    case 'memory': {
      const bytes = parseSize(value ?? '');
      if (bytes !== null && bytes > 0) return { kind, bytes };
      break;
    }
    case 'random-kill': {
      const ms = parseDuration(value ?? '');
      if (ms !== null && ms > 0) return { kind, ms };
      break;
    }
    case 'gpus': {
      const indices = (value ?? '').split(',');
      if (indices.every((index) => /^\d{1,4}$/.test(index))) return { kind, indices: indices.map(Number) };
      break;
    }
    default:
  }
  throw refusal(`--inject does not know ${JSON.stringify(name)}; accepted is any of ${ACCEPTED}`);
}

function splitOnce(name: string): [string, string?] {
  const at = name.indexOf('=');
  return at < 0 ? [name] : [name.slice(0, at), name.slice(at + 1)];
}

function refusal(message: string): NkatError {
  return new NkatError(message, { code: 'usage', operation: 'read the command line' });
}
