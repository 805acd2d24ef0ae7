/** Program of its own, so that a test can kill it: one installation, asked for in its first argument. */
import { installBackend } from '../../dist/backend/install.js';
import { runProgram } from '../../dist/backend/program.js';

const request = JSON.parse(process.argv[2]);
const environment = { ...request.environment };
try {
  const report = await installBackend({
    ...request,
    environment,
    execPath: process.execPath,
    now: () => new Date(),
    run: runProgram,
    tell: () => undefined,
  });
  console.log(
    JSON.stringify({ present: report.present, folder: report.installed.folder, device: report.check.device }),
  );
} catch (error) {
  console.log(JSON.stringify({ code: error.code, message: error.message, hint: error.hint }));
}
