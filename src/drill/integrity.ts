/** The first half of a drill: what the next launch would choose, and the integrity points of every checkpoint. */
import { basename } from 'node:path';
import { chooseCheckpoint } from '../checkpoint/choose.ts';
import type { StoreFiles } from '../checkpoint/files.ts';
import { parseCheckpointName, type StoreLayout } from '../checkpoint/layout.ts';
import type { CheckpointEntry, Choice, Manifest, Verdict } from '../checkpoint/types.ts';
import { verifyCheckpoint } from '../checkpoint/verify.ts';
import { NkatError } from '../errors.ts';
import { type Judgement, judge } from './checks.ts';
import type { Cleanup } from './cleanup.ts';
import { expectedTensors, type FamilyMember } from './family.ts';
import { Holding } from './holding.ts';
import { readStateFacts, type StateFacts } from './state-facts.ts';
import type { CheckpointDrill } from './types.ts';

/** Looks at a session whose checkpoints move away under the drill. */
const TRIES = 5;

export interface IntegrityRequest {
  readonly layout: StoreLayout;
  readonly level: 1 | 2;
  readonly setAside: ReadonlySet<number>;
  /** True for a copy that is the drill's own: then the choice moves what is damaged aside, as the owner would. */
  readonly quarantine: boolean;
  readonly versions: Readonly<Record<string, string>>;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  readonly cleanup: Cleanup;
  readonly onProgress: (text: string) => void;
}

export interface Integrity {
  readonly choice: Choice;
  /** Newest first; what was rotated away meanwhile is left out. */
  readonly checkpoints: readonly CheckpointDrill[];
  readonly manifests: readonly { readonly path: string; readonly manifest: Manifest }[];
  readonly chooseMs: number;
  readonly verifyMs: number;
  readonly warnings: readonly string[];
}

interface Looked {
  readonly entry: CheckpointEntry;
  readonly verdict: Verdict;
  readonly facts: StateFacts | null;
}

/** @throws NkatError `io` when the session's directory cannot be listed */
export async function examine(files: StoreFiles, request: IntegrityRequest): Promise<Integrity> {
  const holding = new Holding(files, request.layout, request.cleanup);
  await holding.removeDead();
  for (let tries = 1; ; tries++) {
    const entries = await holding.holdListed();
    const chosen = await chooseTimed(files, request, holding);
    const { choice } = chosen;
    // Also what was committed meanwhile, before it is looked at: a replay may begin with any of them.
    const listed = await holding.holdListed();
    // A rotation that had looked at the pins before ours can still take it.
    const isRotated =
      choice.chosen === null
        ? choice.candidates.some(({ verdict }) => verdict === 'gone')
        : !listed.some(({ path }) => path === choice.chosen?.path);
    if (isRotated && tries < TRIES) continue;
    const looked = await lookAtAll(files, request, [...listed, ...movedAside(entries, listed)], chosen.verdicts);
    return {
      choice,
      checkpoints: judged(looked, request),
      manifests: looked.flatMap(({ entry, verdict }) =>
        verdict.status === 'verified' ? [{ path: entry.path, manifest: verdict.manifest }] : [],
      ),
      chooseMs: chosen.chooseMs,
      verifyMs: chosen.verifyMs,
      warnings: holding.warning === null ? [] : [holding.warning],
    };
  }
}

/** What the choice itself has quarantined, in a copy: it was looked at before it went. */
function movedAside(before: readonly CheckpointEntry[], after: readonly CheckpointEntry[]): readonly CheckpointEntry[] {
  return before.filter(({ path }) => !after.some((entry) => entry.path === path));
}

interface TimedChoice {
  readonly choice: Choice;
  readonly verdicts: ReadonlyMap<string, Verdict>;
  readonly chooseMs: number;
  readonly verifyMs: number;
}

async function chooseTimed(files: StoreFiles, request: IntegrityRequest, holding: Holding): Promise<TimedChoice> {
  const { layout, setAside, quarantine, nowMs, cleanup, onProgress } = request;
  const verdicts = new Map<string, Verdict>();
  let verifyMs = 0;
  const startedMs = nowMs();
  const choice = await chooseCheckpoint(files, {
    layout,
    setAside,
    quarantine,
    verify: async (own, path, wish) => {
      cleanup.goOn();
      onProgress(`reading back ${path}`);
      // One that was committed since the first look; before it is read, so that what verifies is held.
      const named = parseCheckpointName(basename(path));
      if (named !== null) await holding.hold([named.sequence]);
      const beganMs = nowMs();
      const verdict = await verifyCheckpoint(own, path, wish);
      verifyMs += nowMs() - beganMs;
      verdicts.set(path, verdict);
      return verdict;
    },
  });
  return { choice, verdicts, chooseMs: Math.max(0, nowMs() - startedMs - verifyMs), verifyMs };
}

async function lookAtAll(
  files: StoreFiles,
  { layout, level, cleanup, onProgress }: IntegrityRequest,
  entries: readonly CheckpointEntry[],
  verdicts: ReadonlyMap<string, Verdict>,
): Promise<readonly Looked[]> {
  const looked: Looked[] = [];
  for (const [index, entry] of entries.entries()) {
    cleanup.goOn();
    onProgress(`checkpoint ${entry.sequence}, ${index + 1} of ${entries.length}`);
    const known = verdicts.get(entry.path);
    const onRead = (): void => cleanup.goOn();
    const verdict = known ?? (await verifyCheckpoint(files, entry.path, { session: layout.session, level, onRead }));
    // A session that trains on rotates.
    if (verdict.status === 'gone') continue;
    const facts =
      level === 2 && verdict.status === 'verified' ? await factsOf(files, entry.path, layout.session) : null;
    looked.push({ entry, verdict, facts });
  }
  return looked;
}

async function factsOf(files: StoreFiles, path: string, session: string): Promise<StateFacts | null> {
  try {
    return await readStateFacts(files, path, session);
  } catch (error) {
    if (!(error instanceof NkatError)) throw error;
    return null;
  }
}

function judged(looked: readonly Looked[], { level, versions }: IntegrityRequest): readonly CheckpointDrill[] {
  const members = looked.flatMap(({ entry: { path }, verdict, facts }): FamilyMember[] =>
    verdict.status === 'verified' && facts !== null && facts.incompatible === null
      ? [{ path, manifest: verdict.manifest, facts }]
      : [],
  );
  const expected = expectedTensors(members);
  return looked.map(({ entry, verdict, facts }) => {
    const wanted = expected.get(entry.path) ?? null;
    return described(entry, judge({ verdict, level, facts, expected: wanted, versions }));
  });
}

function described(entry: CheckpointEntry, { checks, problems, warnings }: Judgement): CheckpointDrill {
  const { sequence, step, manifest, place, path } = entry;
  return {
    sequence,
    step,
    epoch: manifest?.epoch ?? null,
    kinds: manifest?.kinds ?? [],
    place,
    path,
    createdAt: manifest?.createdAt ?? null,
    backend: manifest?.backend ?? null,
    checks,
    ok: problems.length === 0,
    problems,
    warnings,
  };
}
