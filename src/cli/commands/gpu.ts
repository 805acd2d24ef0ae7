/** `gpu`: the cards of this machine as they are now, and what is wrong with them. */
import { uptime } from 'node:os';
import { performance } from 'node:perf_hooks';
import { faultsOf } from '../../gpu/card-book.ts';
import { lookAtCards } from '../../gpu/look.ts';
import { smiCommand } from '../../gpu/smi-command.ts';
import { meansNoCards } from '../../gpu/smi-trouble.ts';
import { readXid } from '../../gpu/xid.ts';
import type { KernelLine } from '../../supervisor/kernel-line.ts';
import { readKernelLog } from '../../supervisor/kernel-log.ts';
import type { CommandContext } from '../context.ts';
import { exitCodeOf } from '../exit-codes.ts';
import type { JsonFlag } from '../flags.ts';
import { gpuJson } from '../render/gpu-json.ts';
import { type GpuReport, gpuWords, type SeenXid } from '../render/gpu-words.ts';
import { paintLine, paintWith } from '../render/paint.ts';

/** @returns 0, also where there is no card; 69 where one needs a reset or a reboot, or the driver does not work */
export async function gpu(flags: JsonFlag, context: CommandContext): Promise<number> {
  const [look, xids] = await Promise.all([
    lookAtCards(smiCommand(context.environment), () => performance.now()),
    readKernelLog(seenXid),
  ]);
  const report: GpuReport = { ...look, xids };
  const { streams, terminal } = context;
  if (flags.json === true) streams.out(`${JSON.stringify(gpuJson(report))}\n`);
  else {
    const paint = paintWith(terminal.colourOut);
    streams.out(
      gpuWords(report)
        .map((each) => paintLine(paint, each))
        .join(''),
    );
  }
  return isBroken(report) ? exitCodeOf('gpu-lost') : 0;
}

function isBroken({ cards, troubles }: GpuReport): boolean {
  return cards.some(({ sample }) => faultsOf(sample).length > 0) || troubles.some(({ kind }) => !meansNoCards(kind));
}

function seenXid({ atUs, message }: KernelLine): SeenXid | null {
  const xid = readXid(message);
  if (xid === null) return null;
  return { ...xid, ageMs: atUs === null ? null : Math.max(0, uptime() * 1000 - atUs / 1000) };
}
