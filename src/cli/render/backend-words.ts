/** What is said about native backends: how an installation goes on, what is there, whether it works. */
import type { BrokenBackend, WorkingBackend } from '../../backend/check.ts';
import type { InstallReport } from '../../backend/install.ts';
import { TENSORFLOW } from '../../backend/pins.ts';
import type { InstallProgress, InstallStage } from '../../backend/progress.ts';
import type { Removed } from '../../backend/remove.ts';
import type { Unfinished } from '../../backend/unfinished.ts';
import type { InstalledBackend } from '../../installed-backend.ts';
import { aboutBytes } from '../../units.ts';
import { type Line, line } from './line.ts';
import { aboutDuration, count } from './quantities.ts';

export interface CheckedBackend {
  readonly backend: InstalledBackend;
  readonly check: WorkingBackend | BrokenBackend;
}

const STAGES: Readonly<Record<InstallStage, string>> = {
  fetch: 'Fetching',
  unpack: 'Unpacking',
  compile: 'Compiling',
  check: 'Checking, by a step of training:',
};

/** Once for each stage. */
export function stageWords({ stage, what, totalBytes }: InstallProgress): Line {
  const size = totalBytes === null ? '' : ` (${aboutBytes(totalBytes)})`;
  return line(`${STAGES[stage]} ${what}${size}`);
}

/** For the line that is rewritten. */
export function progressWords({ stage, what, bytes, totalBytes }: InstallProgress): string {
  const amount = bytes === null ? '' : `: ${aboutBytes(bytes)}`;
  const share = bytes === null || totalBytes === null ? '' : ` of ${aboutBytes(totalBytes)}`;
  return `${STAGES[stage]} ${what}${amount}${share} ...`;
}

export function installedWords({ present, installed, check }: InstallReport, tookMs: number): Line[] {
  const { bytes } = installed.record;
  const how = present
    ? 'was installed already, and works'
    : `is installed (${aboutDuration(tookMs)}, ${aboutBytes(bytes)})`;
  return [
    line(`${nameOf(installed)} ${how}: a step of training ${placeOf(check)}, in ${installed.folder}`, 'good', 'always'),
    ...noGpuWords(installed, check),
    line('Trainers that call useBackend() take it from now on; nkat-recover backend remove undoes that.'),
  ];
}

export function listedWords(installed: readonly InstalledBackend[], unreadable: readonly string[]): Line[] {
  if (unreadable.length > 0) return [...listedWords(installed, []), ...unreadableWords(unreadable)];
  if (installed.length === 0) {
    return [line('No native backend is installed: training runs on wasm. nkat-recover backend install builds one.')];
  }
  return installed.map((each, index) => {
    const { bytes, installedAt } = each.record;
    const used = index === 0 ? ', in use' : '';
    return line(`${nameOf(each)}, ${aboutBytes(bytes)}, since ${installedAt.slice(0, 10)}${used}: ${each.folder}`);
  });
}

/** What lies there under a backend's name and is none. */
export function unreadableWords(unreadable: readonly string[]): Line[] {
  return unreadable.map((folder) =>
    line(
      `${folder} holds no backend that this version can read. nkat-recover backend remove takes it away, nkat-recover backend install builds one.`,
      'warning',
      'always',
    ),
  );
}

/** @param changedBy pid of the command that is at work now; null: none is */
export function unfinishedWords(
  unfinished: readonly Unfinished[],
  installed: readonly InstalledBackend[],
  changedBy: number | null,
): Line[] {
  return unfinished.map((each) => {
    const { flavour, tensorflow, bytes, folder } = each;
    const what = `An installation of TensorFlow ${tensorflow} (${flavour})`;
    if (changedBy !== null) return line(`${what} may be under way (pid ${changedBy}): ${folder}`, 'plain', 'always');
    const ways = waysWith(each, installed);
    return line(`${what} is unfinished, ${aboutBytes(bytes)} in ${folder}: ${ways}.`, 'warning', 'always');
  });
}

function waysWith({ flavour, tensorflow }: Unfinished, installed: readonly InstalledBackend[]): string {
  const version = tensorflow === TENSORFLOW ? '' : ` --tensorflow ${tensorflow}`;
  const same = installed.filter(({ record }) => record.flavour === flavour);
  const install = `nkat-recover backend install --${flavour}${version}`;
  if (same.some(({ record }) => record.tensorflow === tensorflow)) {
    return `that one is installed; ${install} checks it and takes the rest away`;
  }
  const too = same.length === 0 ? '' : ', and what is installed of this kind';
  return `${install} goes on, nkat-recover backend remove --${flavour} takes it away${too}`;
}

export function checkedWords({ backend, check }: CheckedBackend): Line[] {
  if (check.status === 'broken') {
    return [
      line(`${nameOf(backend)} does not work: ${check.reason}`, 'bad', 'always'),
      line(`nkat-recover backend install --${backend.record.flavour} builds it anew.`, 'plain', 'always'),
    ];
  }
  const took = `loaded in ${aboutDuration(check.loadMs)}, first step in ${aboutDuration(check.stepMs)}`;
  return [line(`${nameOf(backend)} works ${placeOf(check)}: ${took}`, 'good'), ...noGpuWords(backend, check)];
}

/** @param left the best that is still there; null: none */
export function removedWords(removed: readonly Removed[], left: InstalledBackend | null): Line {
  if (removed.length === 0) return line('There was nothing to remove.');
  const bytes = removed.reduce((sum, each) => sum + each.bytes, 0);
  const next = left === null ? 'wasm' : `TensorFlow ${left.record.tensorflow} (${left.record.flavour})`;
  return line(
    `Removed ${count(removed.length, 'backend')}, ${aboutBytes(bytes)}. Training runs on ${next} from now on.`,
  );
}

function nameOf({ record }: InstalledBackend): string {
  return `TensorFlow ${record.tensorflow} (${record.flavour}) with tfjs-node-gpu ${record.tfjs}`;
}

function placeOf({ device }: WorkingBackend): string {
  return device === 'gpu' ? 'on the GPU' : 'on the CPU';
}

/** A GPU that is asked for and not used is never passed over in silence. */
function noGpuWords({ record }: InstalledBackend, { device, whyNoGpu }: WorkingBackend): Line[] {
  if (record.flavour === 'cpu' || device === 'gpu') return [];
  const why = whyNoGpu === null ? '' : `: ${whyNoGpu}`;
  return [
    line(
      `It sees no GPU and would train on the CPU${why}. nvidia-smi tells whether the driver works.`,
      'warning',
      'always',
    ),
  ];
}
