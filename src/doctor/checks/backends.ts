/** Which tfjs backends load here, by what a child found that loaded each and multiplied two matrices on it. */
import type { Flavour } from '../../installed-backend.ts';
import { type Finding, note, ok, problem, warning } from '../finding.ts';

export type BackendAnswer =
  | {
      readonly kind: 'works';
      readonly name: string;
      readonly device: 'gpu' | 'cpu';
      readonly productMs: number;
      readonly whyNoGpu?: string | null;
    }
  /** It computed, and wrongly. */
  | { readonly kind: 'wrong'; readonly name: string }
  | { readonly kind: 'not-installed'; readonly name: string }
  | { readonly kind: 'failed'; readonly name: string; readonly reason: string }
  | { readonly kind: 'silent'; readonly name: string; readonly forMs: number };

const INSTALL_GPU = 'nkat-recover backend install --cuda12';

/** @param flavour of the native backend that is installed; null: none, or one that cannot be read */
export function checkBackends(
  answers: readonly BackendAnswer[],
  hasCards: boolean,
  flavour: Flavour | null,
): Finding[] {
  const working = answers.filter((each) => each.kind === 'works');
  const findings = answers.flatMap((answer) => findingsOf(answer, flavour));
  const missing = answers.filter(({ kind }) => kind === 'not-installed').map(({ name }) => name);
  if (missing.length > 0) findings.push(note('backend', `Not installed: ${missing.join(', ')}.`));
  if (working.length === 0) {
    const words = 'No tfjs backend loads: tfjs trainers cannot start.';
    findings.push(problem('backend', words, 'npm install @tensorflow/tfjs-backend-wasm'));
  } else if (hasCards && !working.some(({ device }) => device === 'gpu')) {
    const words = `There is a GPU, and no backend that uses it: tfjs trains on the CPU (${working[0]?.name}).`;
    findings.push(warning('backend', words, flavour === 'cuda12' ? 'nkat-recover backend check' : INSTALL_GPU));
  }
  return findings;
}

function findingsOf(answer: BackendAnswer, flavour: Flavour | null): Finding[] {
  const { name } = answer;
  switch (answer.kind) {
    case 'works': {
      const device = answer.device === 'gpu' ? 'the GPU' : 'the CPU';
      const words = `${name} works on ${device}, a product of two matrices took ${answer.productMs.toFixed(1)} ms`;
      const { whyNoGpu = null } = answer;
      if (whyNoGpu === null) return [ok('backend', words)];
      const mend = 'nvidia-smi tells whether the driver works; without a card: nkat-recover backend install --cpu';
      return [warning('backend', `${words}. It is made for a GPU and sees none: ${whyNoGpu}.`, mend)];
    }
    case 'wrong': {
      const words = `${name} loads and computes a product of two matrices wrongly.`;
      return [problem('backend', words, repairOf(name, flavour))];
    }
    case 'failed': {
      const words = `${name} is installed and does not load: ${answer.reason}.`;
      return [warning('backend', words, repairOf(name, flavour))];
    }
    case 'silent': {
      const words = `${name} did not load within ${Math.round(answer.forMs / 1000)} s.`;
      return [warning('backend', words, 'A GPU driver that hangs needs a reboot.')];
    }
    case 'not-installed':
      return [];
  }
}

/** The native one is ours to build anew; all others came with npm. */
function repairOf(name: string, flavour: Flavour | null): string {
  if (name === 'native') return `nkat-recover backend install${flavour === null ? '' : ` --${flavour}`}`;
  return `npm install @tensorflow/tfjs-${name === 'wasm' || name === 'cpu' ? `backend-${name}` : name}`;
}
