/** One blow of a storm: what is done, to whom and when. Drawn by chance, so that a seed draws it again. */
import type { SupervisorEvent } from '../../src/supervisor/events.ts';
import type { Chance } from '../rig/seeded.ts';

export type Victim = 'worker' | 'supervisor' | 'both' | 'all';

/** Waits for the next event of this name, or so long in vain, and then so long. */
export interface Moment {
  readonly after: SupervisorEvent['name'] | 'launch';
  readonly ms: number;
}

export type Blow =
  /** SIGKILL. */
  | {
      readonly kind: 'kill';
      readonly victim: Victim;
      readonly moment: Moment;
      /**
       * Between the worker and the supervisor, where both are killed: it may be dealing with the death. `counted`: as soon as it
       * stands in the session's record that the worker's end was counted.
       */
      readonly gapMs: number | 'counted';
    }
  /** SIGSTOP, and so much later SIGCONT, or SIGKILL while it stands still. */
  | {
      readonly kind: 'freeze';
      readonly victim: 'worker' | 'supervisor';
      readonly moment: Moment;
      readonly ms: number;
      readonly end: 'goes on' | 'is killed' | 'loses its worker';
    }
  /** SIGINT once or more, so far apart; and a kill so much later. */
  | {
      readonly kind: 'stop';
      readonly moment: Moment;
      readonly gapsMs: readonly number[];
      readonly kill: { readonly victim: Victim; readonly ms: number } | null;
    };

export interface Weather {
  /** How many supervisors are started at once when there is none. */
  readonly racers: 1 | 2;
  /** How long after the death of a supervisor. */
  readonly pauseMs: number;
  /** Of the wall clock, where it can be set. */
  readonly clock: '+0' | '-365d' | '+365d';
  /** The disk is full while the blow falls, where it can be filled. */
  readonly fullDisk: boolean;
}

export interface Strike {
  readonly blow: Blow;
  readonly weather: Weather;
}

export function drawStrike(chance: Chance): Strike {
  const weather: Weather = {
    racers: chance.next() < 0.2 ? 2 : 1,
    pauseMs: chance.next() < 0.5 ? 0 : chance.next() * 250,
    clock: chance.pick(['+0', '-365d', '+365d']),
    fullDisk: chance.next() < 0.5,
  };
  return { weather, blow: drawBlow(chance) };
}

function drawBlow(chance: Chance): Blow {
  const moment = drawMoment(chance);
  const which = chance.next();
  if (which < 0.7) {
    const gapMs = chance.next() < 0.7 ? 'counted' : chance.next() * 60;
    return { kind: 'kill', victim: drawVictim(chance), moment, gapMs };
  }
  if (which < 0.85) {
    const victim = chance.pick(['worker', 'supervisor'] as const);
    const end = chance.pick(
      victim === 'worker' ? ['goes on', 'is killed'] : ['goes on', 'is killed', 'loses its worker'],
    );
    return { kind: 'freeze', victim, moment, ms: chance.next() * 300, end: end as 'goes on' };
  }
  const gapsMs = Array.from(
    { length: chance.between(0, 3) },
    () => chance.next() * (chance.next() < 0.2 ? 1_200 : 200),
  );
  const kill = chance.next() < 0.5 ? { victim: drawVictim(chance), ms: chance.next() * 120 } : null;
  return { kind: 'stop', moment, gapsMs, kill };
}

function drawVictim(chance: Chance): Victim {
  return chance.pick(['worker', 'worker', 'supervisor', 'supervisor', 'both', 'both', 'all'] as const);
}

/** In a commit, between it and its report, in a start, a restore, an adoption, or whenever. */
function drawMoment(chance: Chance): Moment {
  const which = chance.next();
  if (which < 0.3) return { after: 'save-started', ms: chance.next() * 25 };
  if (which < 0.4) return { after: 'saved', ms: chance.next() * 12 };
  if (which < 0.6) return { after: 'launch', ms: chance.next() * 700 };
  if (which < 0.75) return { after: 'attempt-started', ms: chance.next() * 350 };
  if (which < 0.85) return { after: 'worker-connected', ms: chance.next() * 60 };
  return { after: 'progress', ms: chance.next() * 200 };
}
