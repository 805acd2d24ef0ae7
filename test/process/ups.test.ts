/** A real NUT server goes on battery and low, and comes back. */
import { expect } from 'vitest';
import { NutServer, whyNoNut } from '../rig/nut-server.ts';
import { wherePossible } from '../rig/where-possible.ts';
import { counter, testInWorld } from './rig.ts';

const ENDLESS = counter(['--epochs', '1', '--steps-per-epoch', '10000', '--step-ms', '40']);
const LIMIT = { timeout: 300_000 };

async function withNut(status: string, work: (nut: NutServer) => Promise<void>): Promise<void> {
  const nut = await NutServer.start(status);
  try {
    await work(nut);
  } finally {
    await nut.close();
  }
}

const broken = 'this machine must have a NUT server, and does not';
wherePossible('a NUT server', { why: whyNoNut(), promise: 'NKAT_REQUIRE_POWER', broken }, () => {
  testInWorld.concurrent(
    'on battery: saved and goes on; back on line; low: saved, stopped, 75, and not by the operator',
    LIMIT,
    async ({ world }) => {
      await withNut('OL', async (nut) => {
        const ups = ['--ups', `test@127.0.0.1:${nut.port}`, '--save-every', '1h'];
        const run = world.run(ENDLESS, ups);
        await run.event('ups-changed', ({ power }) => power === 'line');
        await run.event('progress');
        nut.set('OB');
        await run.event('ups-changed', ({ power }) => power === 'battery');
        await run.event('saved', ({ kinds }) => kinds.includes('battery'));
        nut.set('OL');
        await run.event('ups-changed', ({ power }) => power === 'line', 2);
        expect(run.named('stop-requested')).toEqual([]);
        nut.set('OB LB');
        await run.ended(75);
        expect(run.named('stop-requested')[0]).toMatchObject({ reason: expect.stringContaining('low') });

        // What the battery stopped is brought back; as long as it is low, it is not.
        const recovery = world.start(['recover', '--json']);
        await recovery.event('recovery-waiting' as 'notice');
        nut.set('OL CHRG');
        await recovery.event('training-started');
        recovery.signal('SIGINT');
        await recovery.ended(75);
      });
    },
  );

  testInWorld.concurrent('silence is not on line: on battery it is an emergency', LIMIT, async ({ world }) => {
    await withNut('OL', async (nut) => {
      const run = world.run(ENDLESS, ['--ups', `test@127.0.0.1:${nut.port}`, '--save-every', '1h']);
      await run.event('ups-changed', ({ power }) => power === 'line');
      await nut.stopServer();
      await run.event('ups-changed', ({ power }) => power === 'unknown');
      await nut.startServer();
      await run.event('ups-changed', ({ power }) => power === 'line', 2);
      nut.set('OB');
      await run.event('ups-changed', ({ power }) => power === 'battery');
      await nut.stopServer();
      await run.ended(75);
      expect(run.named('stop-requested')[0]).toMatchObject({ reason: expect.stringContaining('not heard of') });
    });
  });
});
