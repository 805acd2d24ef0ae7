/** Which tfjs backends load here, by what a child found that loaded each and multiplied two matrices on it. */
import { type Finding, note, ok, problem, warning } from '../finding.ts';

export type BackendAnswer =
  | { readonly kind: 'works'; readonly name: string; readonly device: 'gpu' | 'cpu'; readonly productMs: number }
  /** It computed, and wrongly. */
  | { readonly kind: 'wrong'; readonly name: string }
  | { readonly kind: 'not-installed'; readonly name: string }
  | { readonly kind: 'failed'; readonly name: string; readonly reason: string }
  | { readonly kind: 'silent'; readonly name: string; readonly forMs: number };

const INSTALL_GPU = 'nkat-recover backend install --cuda12';

export function checkBackends(answers: readonly BackendAnswer[], hasCards: boolean): Finding[] {
  const working = answers.filter((each) => each.kind === 'works');
  const findings = answers.flatMap(findingOf);
  const missing = answers.filter(({ kind }) => kind === 'not-installed').map(({ name }) => name);
  if (missing.length > 0) findings.push(note('backend', `Not installed: ${missing.join(', ')}.`));
  if (working.length === 0) {
    const words = 'No tfjs backend loads: tfjs trainers cannot start.';
    findings.push(problem('backend', words, 'npm install @tensorflow/tfjs-backend-wasm'));
  } else if (hasCards && !working.some(({ device }) => device === 'gpu')) {
    const words = `There is a GPU, and no backend that uses it: tfjs trains on the CPU (${working[0]?.name}).`;
    findings.push(warning('backend', words, INSTALL_GPU));
  }
  return findings;
}

function findingOf(answer: BackendAnswer): Finding[] {
  const { name } = answer;
  switch (answer.kind) {
    case 'works': {
      const device = answer.device === 'gpu' ? 'the GPU' : 'the CPU';
      return [
        ok('backend', `${name} works on ${device}, a product of two matrices took ${answer.productMs.toFixed(1)} ms`),
      ];
    }
    case 'wrong':
      return [problem('backend', `${name} loads and computes a product of two matrices wrongly.`, 'Install it again.')];
    case 'failed':
      return [warning('backend', `${name} is installed and does not load: ${answer.reason}.`, INSTALL_GPU)];
    case 'silent': {
      const words = `${name} did not load within ${Math.round(answer.forMs / 1000)} s.`;
      return [warning('backend', words, 'A GPU driver that hangs needs a reboot.')];
    }
    case 'not-installed':
      return [];
  }
}
