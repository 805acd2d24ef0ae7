/** Which program is asked, and in which environment. */

export interface SmiCommand {
  /** A path, or a name that is looked up in PATH. */
  readonly program: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** `NKAT_NVIDIA_SMI` names another program than `nvidia-smi`. Our own variables are kept from it: a search for a session's orphans must not find it. */
export function smiCommand(environment: NodeJS.ProcessEnv): SmiCommand {
  const named = environment.NKAT_NVIDIA_SMI;
  return {
    program: named === undefined || named === '' ? 'nvidia-smi' : named,
    environment: Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('NKAT_'))),
  };
}
