import type { Candidate, CandidateVerdict, Manifest } from '../../checkpoint/types.ts';
import { type Line, line, type Tone } from './line.ts';
import { count } from './quantities.ts';

export interface ExplainedChoice {
  readonly session: string;
  readonly candidates: readonly Candidate[];
  readonly chosen: Pick<Manifest, 'sequence' | 'step' | 'epoch'> | null;
  readonly stepsLost: number;
  /** False: the session never had a checkpoint. */
  readonly committed: boolean;
}

const TONES: Readonly<Record<CandidateVerdict, Tone>> = {
  chosen: 'good',
  'not-needed': 'faint',
  damaged: 'bad',
  unreadable: 'warning',
  'newer-format': 'warning',
  gone: 'warning',
  'set-aside': 'warning',
};

export function explainWords({ session, candidates, chosen, stepsLost, committed }: ExplainedChoice): Line[] {
  const lines = candidates.map((candidate) => {
    const { sequence, step, place, verdict, reason } = candidate;
    const where = place === 'session' ? '' : ` (${place})`;
    const at = step === null ? '' : ` at step ${step}`;
    return line(`  checkpoint ${sequence}${at}${where}: ${verdict}, ${reason}`, TONES[verdict]);
  });
  return [headline({ session, candidates, chosen, stepsLost, committed }), ...lines];
}

function headline({ session, chosen, stepsLost, committed }: ExplainedChoice): Line {
  if (chosen !== null) {
    const { sequence, epoch, step } = chosen;
    const lost = stepsLost === 0 ? 'no step is lost' : `${count(stepsLost, 'step')} lost`;
    return line(
      `Session ${session} goes on from checkpoint ${sequence} (epoch ${epoch}, step ${step}); ${lost}`,
      'strong',
    );
  }
  if (!committed) return line(`Session ${session} has no checkpoint yet: it starts from the beginning`, 'strong');
  return line(`Session ${session} cannot go on: no checkpoint verifies. To start from zero: --allow-fresh`, 'bad');
}
