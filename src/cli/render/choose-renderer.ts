import { JsonRenderer } from './json-renderer.ts';
import { PlainRenderer } from './plain-renderer.ts';
import type { RendererChoice, RunRenderer } from './run-renderer.ts';

/** JSON for programs, the live line for a person in front of a terminal, plain lines for everything else. */
export async function chooseRenderer(choice: RendererChoice): Promise<RunRenderer> {
  if (choice.json) return new JsonRenderer(choice);
  if (choice.quiet || !choice.terminal.live) return new PlainRenderer(choice);
  const { LiveRenderer } = await import('./live-renderer.ts');
  return new LiveRenderer(choice);
}
