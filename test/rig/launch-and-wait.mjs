// node launch-and-wait.mjs SPEC_JSON: launches a worker as a supervisor does, prints its identity, and waits to be killed.
import { launchWorker } from '../../dist/supervisor/launch.js';

const outcome = await launchWorker(JSON.parse(process.argv[2] ?? ''));
console.log(JSON.stringify(outcome.status === 'launched' ? outcome.worker.group : outcome));
setInterval(() => undefined, 1000);
