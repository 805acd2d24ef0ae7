/** The integrity points of one checkpoint. Pure: from what was read to a yes or no for each, with the reasons. */
import { describeDamages } from '../checkpoint/damage-text.ts';
import type { Damage, Manifest, Verdict } from '../checkpoint/types.ts';
import type { StateFacts } from './state-facts.ts';
import { isHistory, type TensorGroups, tensorGroups } from './tensor-groups.ts';
import type { Checks } from './types.ts';

export interface ReadCheckpoint {
  readonly verdict: Verdict;
  readonly level: 1 | 2;
  /** Null: its `state.json` could not be read, or was not looked at on this level. */
  readonly facts: StateFacts | null;
  /** Tensors that the other checkpoints of the same trainer agree on; null: there is no such other. */
  readonly expected: ReadonlyMap<string, string> | null;
  /** Node, SDK and so on that run here, as a manifest names them. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface Judgement {
  readonly checks: Checks;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

const UNKNOWN: Checks = {
  exists: null,
  loadable: null,
  model: null,
  optimizer: null,
  structure: null,
  finite: null,
  compatible: null,
};

const NAMED = 3;

export function judge(checkpoint: ReadCheckpoint): Judgement {
  const { verdict, level } = checkpoint;
  switch (verdict.status) {
    case 'gone':
      return failed({ exists: false }, 'it is no longer there');
    case 'unreadable':
      return failed({ exists: true, loadable: false }, `it cannot be read (${verdict.reason}); its data may be whole`);
    case 'newer-format':
      return failed({ exists: true, loadable: false, compatible: false }, `it was ${verdict.reason}`);
    case 'damaged':
      return failed(damagedChecks(verdict.damages, level), describeDamages(verdict.damages));
    case 'verified':
      return level === 1
        ? { checks: { ...UNKNOWN, exists: true, loadable: true }, problems: [], warnings: [] }
        : judgeContents(checkpoint, verdict.manifest);
  }
}

/** Where bytes are wrong, nothing can be said of what they mean. */
function damagedChecks(damages: readonly Damage[], level: 1 | 2): Partial<Checks> {
  const is = (aspect: Damage['aspect']): boolean => damages.some((damage) => damage.aspect === aspect);
  if (is('missing')) return { exists: false, loadable: false };
  if (is(undefined)) return { exists: true, loadable: false };
  const looked = level === 1 ? {} : { structure: !is('structure'), finite: !is('values') };
  return { exists: true, loadable: !is('structure'), ...looked };
}

function judgeContents({ facts, expected, versions }: ReadCheckpoint, manifest: Manifest): Judgement {
  if (facts === null) return failed({ exists: true, loadable: false }, 'state.json cannot be read');
  const groups = tensorGroups(manifest, facts);
  const optimizer = judgeOptimizer(groups, facts);
  const structure = [...averageProblems(groups, facts), ...differences(manifest, facts, expected)];
  const incompatible = facts.incompatible === null ? [] : [facts.incompatible];
  const hasModel = groups.model.length > 0;
  return {
    checks: {
      exists: true,
      loadable: true,
      model: hasModel,
      optimizer: optimizer.has,
      structure: structure.length === 0,
      finite: true,
      compatible: incompatible.length === 0,
    },
    problems: [
      ...(hasModel ? [] : ['it holds no weights of a model']),
      ...optimizer.problems,
      ...structure,
      ...incompatible,
    ],
    warnings: [...optimizer.warnings, ...versionWarnings(manifest.versions, versions)],
  };
}

interface OptimizerJudgement {
  readonly has: boolean | null;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

function judgeOptimizer({ optimizer }: TensorGroups, { optimizers }: StateFacts): OptimizerJudgement {
  if (optimizers === null) {
    // A state of the trainer's own: what has no telling name may still be one.
    return { has: optimizer.length > 0 ? true : null, problems: [], warnings: [] };
  }
  const entries = Object.entries(optimizers);
  if (entries.length === 0) {
    const warning = 'it holds no optimizer, so that one with a memory (Adam, momentum) would start cold';
    return { has: false, problems: [], warnings: [warning] };
  }
  const names = optimizer.map(({ name }) => name);
  const missing = entries.flatMap(([name, { className, trained }]) => {
    const without = trained.filter(
      (weight) => !names.some((slot) => slot.startsWith(`${name}/`) && slot.endsWith(`/${weight}`)),
    );
    return without.length === 0 ? [] : [`the memory of ${name} (${className}) for ${listed(without)} is missing`];
  });
  return { has: missing.length === 0, problems: missing, warnings: [] };
}

function averageProblems({ average, model }: TensorGroups, { averages }: StateFacts): string[] {
  return Object.entries(averages).flatMap(([prefix, updates]) => {
    const needed = updates === 0 ? [] : model;
    const missing = needed.filter(({ name }) => !average.some((other) => other.name === `${prefix}/${name}`));
    const which = prefix === 'average' ? 'the average' : `the average ${prefix}`;
    return missing.length === 0 ? [] : [`${which} of ${listed(missing.map(({ name }) => name))} is missing`];
  });
}

/** What of a checkpoint must be the same in all of one trainer: its tensors but those that come and grow in training. */
export function signatureOf(manifest: Manifest, facts: StateFacts): ReadonlyMap<string, string> {
  const { model, optimizer } = tensorGroups(manifest, facts);
  // tfjs makes the slots of an optimizer at its first step; `state.json` says which there are.
  const lasting = facts.optimizers === null ? [...model, ...optimizer] : model;
  const kept = lasting.filter(({ name }) => !isHistory(name));
  return new Map(kept.map(({ name, dtype, shape }) => [name, `${dtype}[${shape.join(', ')}]`]));
}

function differences(manifest: Manifest, facts: StateFacts, expected: ReadonlyMap<string, string> | null): string[] {
  if (expected === null) return [];
  const own = signatureOf(manifest, facts);
  const missing = [...expected.keys()].filter((name) => !own.has(name));
  const strange = [...own.keys()].filter((name) => !expected.has(name));
  const other = [...own].flatMap(([name, form]) => {
    const wanted = expected.get(name);
    return wanted === undefined || wanted === form ? [] : [`${name} is ${form} instead of ${wanted}`];
  });
  const others = 'which the other checkpoints of this trainer';
  return [
    ...(missing.length === 0 ? [] : [`${listed(missing)} is missing, ${others} have`]),
    ...(strange.length === 0 ? [] : [`it holds ${listed(strange)}, ${others} do not have`]),
    ...other.slice(0, NAMED),
  ];
}

/** Pure: what was made with another major version than runs here. */
export function versionWarnings(
  made: Readonly<Record<string, string>>,
  here: Readonly<Record<string, string>>,
): string[] {
  return Object.entries(here).flatMap(([name, version]) => {
    const then = made[name];
    if (then === undefined || majorOf(then) === majorOf(version)) return [];
    return [`it was made with ${name} ${then}, here runs ${version}`];
  });
}

function majorOf(version: string): string {
  return version.split('.')[0] ?? version;
}

function failed(known: Partial<Checks>, problem: string): Judgement {
  return { checks: { ...UNKNOWN, ...known }, problems: [problem], warnings: [] };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMED).join(', ');
  return names.length > NAMED ? `${shown} and ${names.length - NAMED} more` : shown;
}
