/** `backend install`: builds the native backend and shows how far it is. */
import { fileURLToPath } from 'node:url';
import { type InstallReport, installBackend } from '../../backend/install.ts';
import { withBackendsLocked } from '../../backend/lock.ts';
import { NEEDED_BYTES, PACKAGES, wheelsFor } from '../../backend/pins.ts';
import { runProgram } from '../../backend/program.ts';
import type { InstallProgress } from '../../backend/progress.ts';
import { findProgram } from '../../executable.ts';
import { smiCommand } from '../../gpu/smi-command.ts';
import { backendsFolder, type Flavour } from '../../installed-backend.ts';
import type { CommandContext } from '../context.ts';
import type { BackendInstallFlags } from '../flags.ts';
import { installedWords, progressWords, stageWords } from '../render/backend-words.ts';
import { paintLine, paintWith } from '../render/paint.ts';
import { StatusLine } from '../render/status-line.ts';
import { usageError } from '../usage-error.ts';

export const CHECK_SCRIPT = fileURLToPath(new URL('../../worker/tfjs/check-native.js', import.meta.url));
/** As PyPI writes them. */
const VERSION = /^\d+\.\d+\.\d+(?:rc\d+)?$/;

export async function backendInstall(flags: BackendInstallFlags, context: CommandContext): Promise<number> {
  const { home, environment, streams, terminal, clocks } = context;
  const tensorflow = flags.tensorflow ?? '';
  if (!VERSION.test(tensorflow)) {
    throw usageError(`--tensorflow is ${JSON.stringify(tensorflow)}; accepted is a version such as 2.21.0`);
  }
  const flavour = flavourOf(flags, environment);
  const status = new StatusLine(context);
  const paint = paintWith(terminal.colourOut);
  const startedMs = clocks.now();
  const tell = (progress: InstallProgress): void => {
    if (progress.bytes === null && flags.json !== true) {
      status.clear();
      streams.err(paintLine(paint, stageWords(progress)));
    }
    status.show(progressWords(progress));
  };
  let report: InstallReport;
  try {
    report = await withBackendsLocked(backendsFolder(home), () =>
      installBackend({
        home,
        flavour,
        tensorflow,
        packages: PACKAGES,
        wheels: wheelsFor(flavour, tensorflow),
        neededBytes: NEEDED_BYTES[flavour],
        nodeDirectory: flags.nodedir ?? null,
        environment,
        execPath: process.execPath,
        checkScript: CHECK_SCRIPT,
        platform: { os: process.platform, arch: process.arch },
        now: () => new Date(clocks.now()),
        run: runProgram,
        tell,
      }),
    );
  } finally {
    status.clear();
  }
  const { present, installed, check } = report;
  const tookMs = clocks.now() - startedMs;
  if (flags.json === true) {
    const { folder, record } = installed;
    streams.out(`${JSON.stringify({ version: 1, present, tookMs, folder, ...record, check })}\n`);
  } else {
    for (const line of installedWords(report, tookMs)) streams.out(paintLine(paint, line));
  }
  return 0;
}

/** Asked for, or by whether this machine has NVIDIA's driver. */
function flavourOf({ cpu, cuda12 }: BackendInstallFlags, environment: NodeJS.ProcessEnv): Flavour {
  if (cuda12 === true) return 'cuda12';
  if (cpu === true) return 'cpu';
  return findProgram(smiCommand(environment).program, { path: environment.PATH, cwd: process.cwd() }) === null
    ? 'cpu'
    : 'cuda12';
}
