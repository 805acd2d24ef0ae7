/** How often it saves, in words for the screen. */
import type { RunSettings } from '../config/settings.ts';
import { aboutDuration } from '../units.ts';

export function savingWords({ every, everySteps, everyEpochs, overhead }: RunSettings['save']): string {
  const parts: string[] = [];
  if (every === 'auto') {
    parts.push(
      `by itself every 10 s to 300 s, taking under ${Number((overhead * 100).toPrecision(3))} % of training time`,
    );
  } else if (every !== null) parts.push(`every ${aboutDuration(every)}`);
  if (everySteps !== null) parts.push(`every ${everySteps} steps`);
  if (everyEpochs !== null) parts.push(everyEpochs === 1 ? 'after each epoch' : `every ${everyEpochs} epochs`);
  return parts.length === 0 ? 'only when asked' : parts.join(', ');
}
