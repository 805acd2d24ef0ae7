import { nodeFiles } from '../../checkpoint/files.ts';
import { listCheckpoints } from '../../checkpoint/list.ts';
import type { CheckpointEntry, VerificationLevel } from '../../checkpoint/types.ts';
import { verifyCheckpoint } from '../../checkpoint/verify.ts';
import type { SessionsDatabase } from '../../sessions/database.ts';
import type { CommandContext } from '../context.ts';
import { exitCodeOf } from '../exit-codes.ts';
import type { VerifyFlags } from '../flags.ts';
import { isStoreMissing, type LocatedSession, locateSession } from '../located-session.ts';
import { withReadableIndex } from '../open-index.ts';
import { paintLine, paintWith } from '../render/paint.ts';
import { StatusLine } from '../render/status-line.ts';
import { type Finding, findingOf, verifyJson, verifyWords } from '../render/verify-words.ts';
import { resolveSession } from '../resolve-session.ts';
import { ownWatch } from '../session-state.ts';

export interface Verification {
  readonly session: string;
  readonly level: VerificationLevel;
  readonly checked: number;
  readonly findings: readonly Finding[];
}

/** `verify`: reads checkpoints and reports; exit 65 where something is damaged, 74 where something cannot be read. */
export function verify(word: string, flags: VerifyFlags, context: CommandContext): Promise<number> {
  const level = levelOf(flags.level);
  return withReadableIndex(context, async (database) => {
    const { streams, terminal } = context;
    const paint = paintWith(terminal.colourOut);
    const found: Finding[] = [];
    for (const session of await chosenSessions(word, flags, database)) {
      const result = await verifySession(session, level, context);
      found.push(...result.findings);
      if (flags.json === true) streams.out(`${JSON.stringify(verifyJson(result))}\n`);
      else for (const line of verifyWords(result)) streams.out(paintLine(paint, line));
    }
    return exitCodeOfFindings(found);
  });
}

/** Damage outweighs what could not be read; that again is no damage. */
export function exitCodeOfFindings(findings: readonly Finding[]): number {
  if (findings.some(({ kind }) => kind === 'damaged')) return exitCodeOf('damaged');
  return findings.length > 0 ? exitCodeOf('io') : 0;
}

async function chosenSessions(word: string, flags: VerifyFlags, database: SessionsDatabase): Promise<LocatedSession[]> {
  const rows = flags.all === true ? database.sessions.list() : [await resolveSession(nodeFiles, database, word)];
  const watch = ownWatch();
  const sessions: LocatedSession[] = [];
  for (const row of rows) sessions.push(await locateSession(nodeFiles, row, watch));
  return sessions;
}

async function verifySession(
  session: LocatedSession,
  level: VerificationLevel,
  context: CommandContext,
): Promise<Verification> {
  const { row, layout } = session;
  if (await isStoreMissing(nodeFiles, session)) {
    return { session: row.id, level, checked: 0, findings: [{ kind: 'missing', path: layout.directory }] };
  }
  const entries = await listCheckpoints(nodeFiles, layout);
  const status = new StatusLine(context);
  const findings: Finding[] = [];
  let checked = 0;
  try {
    for (const [index, entry] of entries.entries()) {
      status.show(`Verifying ${row.id}: checkpoint ${entry.sequence}, ${index + 1} of ${entries.length}`);
      const finding = await check(entry, row.id, level);
      // A running session may have rotated it away in the meantime.
      if (finding === 'gone') continue;
      checked += 1;
      if (finding !== null) findings.push(finding);
    }
  } finally {
    status.clear();
  }
  return { session: row.id, level, checked, findings };
}

async function check(
  entry: CheckpointEntry,
  session: string,
  level: VerificationLevel,
): Promise<Finding | 'gone' | null> {
  const verdict = await verifyCheckpoint(nodeFiles, entry.path, { session, level });
  return verdict.status === 'gone' ? 'gone' : findingOf(entry, verdict);
}

function levelOf(text: string): VerificationLevel {
  if (text === '0') return 0;
  return text === '1' ? 1 : 2;
}
