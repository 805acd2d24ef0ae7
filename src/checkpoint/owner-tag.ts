/** The identity of a process as part of a file name: whoever finds the file knows whether its writer still lives. */
import { currentOwner, isAlive, relationOf } from './process-identity.ts';
import type { Owner } from './types.ts';

type TaggedOwner = Pick<Owner, 'pid' | 'startTime' | 'bootId' | 'pidNamespace' | 'machineId'>;

const NONE = 'none';

/** `pid_start_boot_namespace_machine` of this process; letters, digits, dashes and underscores only. */
export function ownerTag(): string {
  const { pid, startTime, bootId, pidNamespace, machineId } = currentOwner('alone');
  const namespace = pidNamespace === null ? null : (/\d+/.exec(pidNamespace)?.[0] ?? null);
  return [String(pid), startTime, bootId, namespace, machineId].map((part) => part ?? NONE).join('_');
}

/** Null where the text is not one that {@link ownerTag} makes. */
export function decodeOwnerTag(tag: string): TaggedOwner | null {
  const parts = tag.split('_').map((part) => (part === NONE ? null : part));
  const [pid, startTime = null, bootId = null, namespace = null, machineId = null] = parts;
  if (parts.length !== 5 || pid === undefined || pid === null || !/^\d{1,10}$/.test(pid)) return null;
  const pidNamespace = namespace === null ? null : `pid:[${namespace}]`;
  return { pid: Number(pid), startTime, bootId, pidNamespace, machineId };
}

/** True only when that process is known to be dead; one on another machine is not. */
export function isTagDead(owner: TaggedOwner): boolean {
  const self = currentOwner('alone');
  // Names carry no host; without boot ids (no /proc) the pid alone is asked.
  const relation = relationOf({ ...owner, host: self.host }, self);
  if (relation === 'rebooted') return true;
  return relation === 'here' && !isAlive(owner);
}
