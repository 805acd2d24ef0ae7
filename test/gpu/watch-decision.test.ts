import { describe, expect, it } from 'vitest';
import { stuckTrouble, troubleOf } from '../../src/gpu/smi-trouble.ts';
import { decideWatch, nextDeadlineMs } from '../../src/gpu/watch-decision.ts';
import { NEW_WATCH, type WatchEffect, type WatchEvent, type WatchState } from '../../src/gpu/watch-state.ts';

const PERIOD_MS = 1_000;

/** A watch under virtual time. */
class Stage {
  state: WatchState = NEW_WATCH;
  nowMs = 0;
  readonly effects: WatchEffect[] = [];

  on(event: WatchEvent): this {
    const { state, effects } = decideWatch(this.state, event, this.nowMs, PERIOD_MS);
    this.state = state;
    this.effects.push(...effects);
    return this;
  }

  /** To the next deadline, and what it brings. */
  pass(late = false): number | null {
    const dueMs = nextDeadlineMs(this.state, PERIOD_MS);
    if (dueMs === null) return null;
    const waitedMs = dueMs - this.nowMs;
    this.nowMs = dueMs;
    this.on({ type: 'tick', late });
    return waitedMs;
  }

  row(): this {
    return this.on({ type: 'row', child: this.state.memory.child });
  }

  fail(code = 255): this {
    return this.on({ type: 'child-ended', child: this.state.memory.child, trouble: troubleOf(code, '') });
  }

  names(): string[] {
    return this.effects.splice(0).map(({ type }) => type);
  }
}

function begun(): Stage {
  const stage = new Stage().on({ type: 'opened' }).on({ type: 'fields-told', known: null });
  stage.names();
  return stage;
}

describe('the watch', () => {
  it('asks for the fields, starts one child, and waits five periods for a row', () => {
    const stage = new Stage().on({ type: 'opened' });
    expect(stage.names()).toEqual(['ask-fields']);
    expect(stage.on({ type: 'fields-told', known: null }).names()).toEqual(['start-child']);
    stage.row();
    expect(stage.pass()).toBe(5_000);
    expect(stage.names()).toEqual(['leave-child', 'tell-trouble']);
    expect(stage.state.kind).toBe('resting');
  });

  it('gives a child half a minute for its first row', () => {
    const stage = begun();
    expect(stage.pass()).toBe(30_000);
    expect(stage.state.kind).toBe('resting');
  });

  it('rests longer after each failure in a row, a minute at most, and tells each trouble once', () => {
    const stage = begun();
    const rests: (number | null)[] = [];
    for (let count = 0; count < 9; count += 1) {
      stage.fail();
      rests.push(stage.pass());
    }
    expect(rests).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    expect(stage.names().filter((name) => name === 'tell-trouble')).toHaveLength(1);
  });

  it('counts from the start again once a child was good for half a minute, not before', () => {
    const stage = begun().fail();
    stage.pass();
    stage.row().fail();
    expect(stage.pass()).toBe(2_000);
    stage.row();
    stage.nowMs += 30_000;
    stage.row().fail();
    expect(stage.pass()).toBe(1_000);
  });

  it('says when it works again, and then tells the next trouble again', () => {
    const stage = begun().fail();
    stage.pass();
    stage.row().row().fail();
    expect(stage.names()).toEqual(['tell-trouble', 'start-child', 'tell-working', 'tell-trouble']);
  });

  it('starts no third child beside two that cannot be killed, until one of them ends', () => {
    const stage = begun();
    stage.pass();
    stage.pass();
    stage.pass();
    expect(stage.pass()).toBe(2_000);
    expect(stage.names().filter((name) => name === 'start-child')).toHaveLength(1);
    expect(stage.pass()).toBeNull();
    stage.on({ type: 'child-ended', child: 1, trouble: stuckTrouble(0) });
    expect(stage.pass()).toBe(0);
    expect(stage.names()).toEqual(['start-child']);
  });

  it('does not blame a child for our own sleep', () => {
    const stage = begun().row();
    stage.pass(true);
    expect(stage.state.kind).toBe('watching');
    expect(stage.pass()).toBe(5_000);
    expect(stage.state.kind).toBe('resting');
  });

  it('asks again without a refused field, and does not believe one that refuses what it was not asked', () => {
    const stage = begun().on({ type: 'field-refused', child: 1, name: 'power.draw' });
    expect(stage.state.memory.child).toBe(2);
    expect(
      stage.effects.map((effect) => (effect.type === 'start-child' ? effect.columns.map(({ name }) => name) : [])),
    ).toEqual([[], expect.not.arrayContaining(['power.draw'])]);
    stage.on({ type: 'child-ended', child: 1, trouble: troubleOf(2, '') });
    expect(stage.state).toMatchObject({ kind: 'starting', memory: { unended: 0 } });
    stage.on({ type: 'field-refused', child: 2, name: 'power.draw' });
    expect(stage.state.kind).toBe('resting');
  });

  it('does not listen to a child that it has left', () => {
    const stage = begun().row();
    stage.pass();
    stage.pass();
    stage.names();
    stage.on({ type: 'row', child: 1 });
    expect(stage.state.kind).toBe('starting');
    expect(stage.on({ type: 'child-ended', child: 1, trouble: troubleOf(0, '') }).names()).toEqual([]);
  });

  it('ends for good where there is nothing to run', () => {
    const trouble = { kind: 'missing', words: '', hint: null } as const;
    const stage = new Stage().on({ type: 'opened' }).on({ type: 'question-failed', trouble });
    expect(stage.names()).toEqual(['ask-fields', 'tell-trouble']);
    expect([stage.state.kind, stage.pass()]).toEqual(['absent', null]);
  });

  it('leaves its child when it is closed', () => {
    const stage = begun().row().on({ type: 'closed' });
    expect(stage.names()).toEqual(['leave-child']);
    expect([stage.state.kind, stage.pass()]).toEqual(['closed', null]);
  });
});

describe('the end of nvidia-smi', () => {
  it.each([
    [9, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", 'driver-not-loaded'],
    [9, '', 'driver-not-loaded'],
    [12, '', 'library-missing'],
    [15, '', 'card-lost'],
    [16, '', 'reset-required'],
    [18, '', 'driver-mismatch'],
    [255, 'Unable to determine the device handle for GPU0000:01:00.0: GPU is lost.  Reboot the system', 'card-lost'],
    [255, 'Failed to initialize NVML: Driver/library version mismatch', 'driver-mismatch'],
    [6, 'No devices were found', 'no-cards'],
    [255, 'Failed to initialize NVML: Unknown Error', 'failed'],
    [null, '', 'failed'],
    [0, '', 'failed'],
  ])('is named: %s %s', (code, words, kind) => {
    expect(troubleOf(code, words).kind).toBe(kind);
  });
});
