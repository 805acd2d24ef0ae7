/** `backend list`, `backend check` and `backend remove`. */
import { checkBackend } from '../../backend/check.ts';
import { whoChanges, withBackendsLocked } from '../../backend/lock.ts';
import { runProgram } from '../../backend/program.ts';
import { removeBackends } from '../../backend/remove.ts';
import { unfinishedInstallations } from '../../backend/unfinished.ts';
import { NkatError } from '../../errors.ts';
import { backendsFolder, FLAVOURS, installedBackends, unreadableBackends } from '../../installed-backend.ts';
import type { CommandContext } from '../context.ts';
import { exitCodeOf } from '../exit-codes.ts';
import type { BackendRemoveFlags, JsonFlag } from '../flags.ts';
import {
  type CheckedBackend,
  checkedWords,
  listedWords,
  removedWords,
  unfinishedWords,
  unreadableWords,
} from '../render/backend-words.ts';
import { paintLine, paintWith } from '../render/paint.ts';
import { StatusLine } from '../render/status-line.ts';
import { CHECK_SCRIPT } from './backend-install.ts';

export async function backendList(flags: JsonFlag, { home, streams, terminal }: CommandContext): Promise<number> {
  const installed = installedBackends(home);
  const unreadable = unreadableBackends(home);
  const unfinished = unfinishedInstallations(backendsFolder(home));
  const changedBy = unfinished.length === 0 ? null : await whoChanges(backendsFolder(home));
  if (flags.json === true) {
    const backends = installed.map(({ folder, record }) => ({ folder, ...record }));
    streams.out(`${JSON.stringify({ version: 1, backends, unreadable, unfinished, changedBy })}\n`);
    return 0;
  }
  const paint = paintWith(terminal.colourOut);
  const words = [...listedWords(installed, unreadable), ...unfinishedWords(unfinished, installed, changedBy)];
  for (const each of words) streams.out(paintLine(paint, each));
  return 0;
}

/**
 * @returns 0; 78 where one is broken or cannot be read, or was made for a GPU and sees none
 * @throws NkatError `backend-missing` where nothing is installed
 */
export async function backendCheck(flags: JsonFlag, context: CommandContext): Promise<number> {
  const { home, environment, streams, terminal } = context;
  const installed = installedBackends(home);
  const unreadable = unreadableBackends(home);
  if (installed.length === 0 && unreadable.length === 0) {
    throw new NkatError('none is installed', {
      code: 'backend-missing',
      operation: 'check the native backend',
      path: backendsFolder(home),
      hint: 'nkat-recover backend install builds one.',
    });
  }
  const status = new StatusLine(context);
  const checked: CheckedBackend[] = [];
  for (const backend of installed) {
    status.show(`Checking ${backend.folder}`);
    const options = { execPath: process.execPath, script: CHECK_SCRIPT, environment, log: null, run: runProgram };
    checked.push({ backend, check: await checkBackend(backend, options) });
  }
  status.clear();
  if (flags.json === true) {
    const backends = checked.map(({ backend: { folder, record }, check }) => ({ folder, ...record, check }));
    streams.out(`${JSON.stringify({ version: 1, backends, unreadable })}\n`);
  } else {
    const paint = paintWith(terminal.colourOut);
    const words = [...checked.flatMap(checkedWords), ...unreadableWords(unreadable)];
    for (const each of words) streams.out(paintLine(paint, each));
  }
  return checked.every(isGood) && unreadable.length === 0 ? 0 : exitCodeOf('configuration');
}

export async function backendRemove(flags: BackendRemoveFlags, context: CommandContext): Promise<number> {
  const { home, streams, terminal } = context;
  const folder = backendsFolder(home);
  const meant = FLAVOURS.filter((flavour) => flags[flavour] === true);
  const isMeant = (name: string): boolean => meant.length === 0 || meant.some((each) => name.startsWith(`${each}-`));
  const removed = await withBackendsLocked(folder, async () => removeBackends(folder, isMeant));
  if (flags.json === true) streams.out(`${JSON.stringify({ version: 1, removed })}\n`);
  else streams.out(paintLine(paintWith(terminal.colourOut), removedWords(removed, installedBackends(home)[0] ?? null)));
  return 0;
}

function isGood({ backend, check }: CheckedBackend): boolean {
  return check.status === 'works' && (backend.record.flavour === 'cpu' || check.device === 'gpu');
}
