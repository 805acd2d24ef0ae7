/** Trains at one step a second, so that nothing but the supervisor itself uses its time. */
import { arraysState, connect } from 'nkat-recover/worker';

const run = await connect();
await run.restore(arraysState({ weights: new Float32Array(1000) }));
console.log('restored');
for (;;) {
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await run.step({ loss: 1 });
  if (run.steps === 1) console.log('first-step');
}
