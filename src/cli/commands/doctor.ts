/** `doctor`: is this machine fit to train, and to recover? */
import { performance } from 'node:perf_hooks';
import { examine } from '../../doctor/examine.ts';
import { smiCommand } from '../../gpu/smi-command.ts';
import { kernelLogRefusal } from '../../supervisor/kernel-log.ts';
import { readXidsOfBoot } from '../../supervisor/xids-of-boot.ts';
import { formatUps } from '../../ups-address.ts';
import type { CommandContext } from '../context.ts';
import { exitCodeOf } from '../exit-codes.ts';
import type { JsonFlag } from '../flags.ts';
import { ownSettings } from '../own-settings.ts';
import { doctorWords, isHealthy } from '../render/doctor-words.ts';
import { paintLine, paintWith } from '../render/paint.ts';
import { StatusLine } from '../render/status-line.ts';
import { lookAtService } from '../service/look.ts';
import { managerOf, ownMachine, placeOf } from '../service/place.ts';

/** @returns 0, or 78 where something is found that training or recovery cannot be relied on with */
export async function doctor(flags: JsonFlag, context: CommandContext): Promise<number> {
  const { environment, cwd, home, clocks, streams, terminal } = context;
  const { settings } = await ownSettings({}, context, { trainer: null, cwd });
  const status = new StatusLine(context);
  const places = [
    { what: 'checkpoints', directory: settings.root },
    { what: 'best models', directory: settings.backups },
    { what: 'state home', directory: home.directory },
  ];
  const findings = await examine({
    smi: smiCommand(environment),
    environment,
    database: home.database,
    places,
    xids: async () => {
      const seen = await readXidsOfBoot();
      return seen === null ? { refusal: kernelLogRefusal() } : { seen };
    },
    nodeVersion: process.versions.node,
    ups: settings.ups === null ? null : { name: formatUps(settings.ups), address: settings.ups },
    service: () => lookAtService(placeOf(managerOf(ownMachine(), false), context), environment),
    now: new Date(clocks.now()),
    nowMs: () => performance.now(),
    onStage: (words) => status.show(words),
  });
  status.clear();
  const healthy = isHealthy(findings);
  if (flags.json === true) streams.out(`${JSON.stringify({ version: 1, healthy, findings })}\n`);
  else {
    const paint = paintWith(terminal.colourOut);
    for (const each of doctorWords(findings)) streams.out(paintLine(paint, each));
  }
  return healthy ? 0 : exitCodeOf('configuration');
}
