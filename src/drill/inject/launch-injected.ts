/** The launches of a drill with `--inject`: faults on the copy, then the recovery that a user would see after them. */
import type { DrilledSession, DrillOptions } from '../drilled-session.ts';
import type { Integrity } from '../integrity.ts';
import { fitWarnings, type Launched, NOT_LAUNCHED, requestOf } from '../launch-drill.ts';
import { rehearse } from '../rehearsal.ts';
import { oneStepFrom, pointOf } from '../rehearsal-request.ts';
import { type CopiedSession, copySession } from './copied-session.ts';
import { type Corrupted, corruptNewest } from './corrupt-newest.ts';
import { onlyGpus } from './gpus.ts';
import { Incidents } from './incidents.ts';
import type { Injected, Injection, NamedInjection } from './injections.ts';
import { judgeDamage } from './verdicts.ts';

/** A copy that was broken as far as it can be before anything runs. */
export interface BrokenSession {
  readonly copy: CopiedSession;
  readonly corrupted: Corrupted | null;
}

/** @throws NkatError `io`, `no-space` */
export async function breakCopy({ layout }: DrilledSession, options: DrillOptions): Promise<BrokenSession> {
  const { files, scratchParent, cleanup, onProgress } = options;
  const copy = await copySession(files, { layout, scratchParent, cleanup, onProgress });
  const corrupted = hasKind(options, 'corrupt-newest') ? await corruptNewest(files, copy.layout) : null;
  return { copy, corrupted };
}

export interface InjectedLaunch extends Launched {
  readonly injected: readonly Injected[];
}

/** @throws NkatError `io`, `no-space`, `preflight` */
export async function launchInjected(
  session: DrilledSession,
  { copy, corrupted }: BrokenSession,
  integrity: Integrity,
  options: DrillOptions,
): Promise<InjectedLaunch> {
  const { file } = session;
  const { chosen } = integrity.choice;
  const damage = options.injections
    .filter(({ injection }) => injection.kind === 'corrupt-newest')
    .map(({ name }) =>
      judgeDamage(name, corrupted, chosen === null ? null : pointOf(chosen), integrity.choice.candidates),
    );
  const end = (problems: readonly string[]): InjectedLaunch => ({
    ...NOT_LAUNCHED,
    injected: damage,
    problems: [...problemsOf(damage), ...problems],
  });
  if (chosen === null) return end([]);
  if (file === null) return end(['session.json is missing, so that nobody knows what to launch']);
  const setAside = new Set(file.setAside.map(({ sequence }) => sequence));
  const request = { ...requestOf(session, file, options), ...changesOf(options), store: copy.layout };
  const incidents = new Incidents(copy.layout, chosen, request, options, setAside);
  const injected: Injected[] = [...damage];
  for (const named of inOrder(options.injections)) injected.push(await incidents.happen(named));
  const resume = pointOf(incidents.chosen);
  const { rehearsal } = await rehearse(options.files, {
    ...incidents.request,
    resume,
    until: oneStepFrom(resume),
  });
  const failed = rehearsal.outcome === 'done' ? [] : [`the recovery afterwards: ${rehearsal.reason}`];
  return {
    level: 3,
    rehearsal,
    replay: null,
    injected,
    problems: [...problemsOf(injected), ...failed],
    warnings: [
      ...copy.warnings,
      ...(await fitWarnings(session, incidents.chosen.manifest, rehearsal)),
      ...rehearsal.warnings,
    ],
  };
}

function problemsOf(injected: readonly Injected[]): string[] {
  return injected.flatMap(({ name, ok, text }) => (ok ? [] : [`${name}: ${text}`]));
}

function hasKind({ injections }: DrillOptions, kind: Injection['kind']): boolean {
  return injections.some(({ injection }) => injection.kind === kind);
}

/** What holds for every launch. */
function changesOf({ injections, device }: DrillOptions): {
  device: DrillOptions['device'];
  memoryBytes: number | null;
  environment: Readonly<Record<string, string>>;
} {
  let changes = { device, memoryBytes: null as number | null, environment: {} as Readonly<Record<string, string>> };
  for (const { injection } of injections) {
    if (injection.kind === 'memory') changes = { ...changes, memoryBytes: injection.bytes };
    if (injection.kind === 'gpu-lost') changes = { ...changes, device: 'gpu' };
    if (injection.kind === 'gpus') changes = { ...changes, device: 'gpu', environment: onlyGpus(injection.indices) };
  }
  return changes;
}

const ORDER: readonly Injection['kind'][] = ['memory', 'gpus', 'disk-full', 'kill', 'random-kill', 'gpu-lost'];

/** Damage is done before; the GPU goes last, since nothing brings it back. */
function inOrder(injections: readonly NamedInjection[]): readonly NamedInjection[] {
  return ORDER.flatMap((kind) => injections.filter(({ injection }) => injection.kind === kind));
}
