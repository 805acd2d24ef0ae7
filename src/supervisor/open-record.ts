/** The record of a session and its row in the index as they are when a supervisor takes it over, before anything is launched. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { digestOf } from '../checkpoint/digest.ts';
import type { SessionFile, TrainerFacts } from '../checkpoint/types.ts';
import { type PowerCut, withCut } from '../power/power-cut.ts';
import type { EarlierWorker } from './earlier-worker.ts';
import { renewBudget } from './machine/restart-policy.ts';
import type { SuperviseOptions } from './options.ts';
import { savingWords } from './saving-words.ts';
import type { SessionContext } from './session-context.ts';

/** Session file and row as they are from now on; tells what the operator should know before the launch. */
export async function openRecord(
  context: SessionContext,
  options: SuperviseOptions,
  earlier: EarlierWorker,
  cut: PowerCut | null,
): Promise<TrainerFacts> {
  const { record, index, settings, tell, layout } = context;
  const { file } = record;
  const args = options.target.kind === 'existing' ? (options.target.args ?? file.identity.args) : file.identity.args;
  const path = file.identity.trainer;
  const sourceDigest = options.command === null ? await digestOfSource(path) : null;
  const changed = file.sourceDigest !== null && sourceDigest !== null && file.sourceDigest !== sourceDigest;
  record.change({
    identity: { ...file.identity, args },
    state: 'running',
    sourceDigest: sourceDigest ?? file.sourceDigest,
    budget: budgetOf(file, options.from !== null),
    // Until somebody asks again.
    stoppedBy: null,
    ...(options.launch === undefined ? {} : { launch: options.launch }),
    ...(cut === null ? {} : { cuts: withCut(file.cuts ?? [], cut, context.now().getTime()) }),
  });
  await record.persist();
  // The index is written each second, the file at each save: it knows better how far the last attempt came.
  const indexed = index.reached();
  if (indexed !== null && indexed.step > record.reached.step) record.reachedBefore(indexed.step, indexed.at);
  const newest = earlier.kind === 'ended' ? earlier.newest : null;
  const wentOn = newest !== null && newest.step > record.reached.step ? newest : null;
  if (wentOn !== null) record.reachedBefore(wentOn.step, new Date(wentOn.createdAt));
  await index.open(record.file, settings.root, process.pid);
  if (wentOn !== null) await index.patchSession({ step: wentOn.step, epoch: wentOn.epoch });
  await index.endForgotten(earlier.kind === 'none' ? null : earlier.worker.attempt);
  tell({
    name: 'session-opened',
    session: layout.session,
    sessionName: file.identity.name,
    fresh: file.attempts === 0,
    adopted: earlier.kind === 'alive',
    directory: layout.directory,
    backups: layout.backups,
    log: join(context.outputDirectory, 'session.log'),
    saving: savingWords(settings.save),
    trainer: path,
    budget: record.file.budget,
  });
  if (cut !== null) tell({ name: 'power-cut', attempt: file.attempts, ...cut });
  if (changed) tell({ name: 'trainer-changed', trainer: path });
  if (!isDeepStrictEqual(args, file.identity.args)) {
    const message = `The trainer's arguments are ${shown(args)} now, before they were ${shown(file.identity.args)}`;
    tell({ name: 'notice', level: 'info', message });
  }
  return { path, args: [...args], sourceDigest };
}

function shown(args: readonly string[]): string {
  return args.length === 0 ? 'none' : args.join(' ');
}

/** Going back on purpose begins anew: what was reached on the branch that is left must not hide this one's progress. */
function budgetOf({ state, budget }: SessionFile, goesBack: boolean): SessionFile['budget'] {
  if (goesBack) return { ...renewBudget(budget), highestVerifiedStep: -1 };
  return state === 'gave-up' ? renewBudget(budget) : budget;
}

/** Null when the trainer cannot be read: the launch will say so. */
async function digestOfSource(path: string): Promise<string | null> {
  try {
    return digestOf(await readFile(path));
  } catch {
    return null;
  }
}
