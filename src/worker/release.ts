/** A card's memory is nearly used up: what can be freed is the trainer's to know; what came of it is told. */
import type { Listeners } from './listeners.ts';
import type { Interruption } from './run.ts';
import type { SessionLink } from './session-link.ts';
import type { TrainingState } from './state.ts';

interface Asked {
  readonly listeners: Listeners;
  readonly state: TrainingState | null;
  readonly link: SessionLink;
}

/** Between two steps. The framework's own figures before and after are in the notice. */
export async function askToRelease({ listeners, state, link }: Asked, asked: Interruption): Promise<void> {
  const before = state?.memory?.() ?? {};
  await listeners.tell('release', asked);
  const after = state?.memory?.() ?? {};
  const changes = Object.entries(after).map(([name, value]) => `${name} ${before[name] ?? '?'} -> ${value}`);
  const who =
    listeners.release.length === 0 ? "it has no listener for it: run.on('release', ...)" : 'its listeners were told';
  const figures = changes.length === 0 ? '' : `; ${changes.join(', ')}`;
  const message = `The trainer was asked to free memory: ${who}${figures}`;
  link.post({ type: 'notice', level: 'info', message });
}
