/** `gpu`: the cards of this machine as they are now, and what is wrong with them; on a terminal again and again. */
import { performance } from 'node:perf_hooks';
import { faultsOf } from '../../gpu/card-book.ts';
import { lookAtCards } from '../../gpu/look.ts';
import { smiCommand } from '../../gpu/smi-command.ts';
import { meansNoCards } from '../../gpu/smi-trouble.ts';
import { readXidsOfBoot } from '../../supervisor/xids-of-boot.ts';
import { CardsShown } from '../cards-shown.ts';
import type { CommandContext } from '../context.ts';
import { exitCodeOf } from '../exit-codes.ts';
import type { GpuFlags } from '../flags.ts';
import { watchReport } from '../gpu-report-watch.ts';
import type { GpuReport } from '../render/gpu-words.ts';
import { usageError } from '../usage-error.ts';

/** @returns 0, also where there is no card; 69 where one needs a reset or a reboot, or the driver does not work */
export async function gpu(flags: GpuFlags, context: CommandContext): Promise<number> {
  if (flags.once === true && flags.watch === true) {
    throw usageError('--once and --watch exclude one another', 'Leave one of the two out.');
  }
  const look = (): Promise<GpuReport> => lookOnce(context);
  const first = await look();
  const asked = flags.watch ?? (context.terminal.liveOut && flags.once !== true && flags.json !== true);
  // Where there is no card nothing will come, however long one looks.
  const isWatched = asked && first.cards.length > 0;
  const shown = new CardsShown(context, flags.json === true, isWatched);
  shown.show(first);
  const last = isWatched ? await watchReport(first, look, context, (report) => shown.show(report)) : first;
  shown.close(last);
  return isBroken(last) ? exitCodeOf('gpu-lost') : 0;
}

async function lookOnce({ environment }: CommandContext): Promise<GpuReport> {
  const [look, xids] = await Promise.all([
    lookAtCards(smiCommand(environment), () => performance.now()),
    readXidsOfBoot(),
  ]);
  return { ...look, xids };
}

function isBroken({ cards, troubles }: GpuReport): boolean {
  return cards.some(({ sample }) => faultsOf(sample).length > 0) || troubles.some(({ kind }) => !meansNoCards(kind));
}
