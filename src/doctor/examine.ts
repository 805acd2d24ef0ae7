/** All checks of one machine, beside one another where they do not disturb each other. */
import { lookAtCards } from '../gpu/look.ts';
import type { SmiCommand } from '../gpu/smi-command.ts';
import { chosenBackend } from '../installed-backend.ts';
import { within } from '../timer.ts';
import type { UpsAddress } from '../ups-address.ts';
import type { BackendName } from '../worker/tfjs/backend.ts';
import { checkAnswer } from './checks/answer.ts';
import { checkBackends } from './checks/backends.ts';
import { checkCardHealth } from './checks/card-health.ts';
import { checkClock } from './checks/clock.ts';
import { checkCuda } from './checks/cuda.ts';
import { checkDisk } from './checks/disk.ts';
import { checkDriver } from './checks/driver.ts';
import { checkDriverErrors, type DriverErrors } from './checks/driver-errors.ts';
import { checkEcc } from './checks/ecc.ts';
import { checkNode } from './checks/node.ts';
import { checkPersistence } from './checks/persistence.ts';
import { checkPowerLimit } from './checks/power-limit.ts';
import { checkService, type ServiceFacts } from './checks/service.ts';
import { checkStateHome } from './checks/state-home.ts';
import { checkUps } from './checks/ups.ts';
import { askBackend, askClock, askDatabase, askPlace, askUps } from './facts.ts';
import { type Finding, note } from './finding.ts';

/** For one answer of nvidia-smi, which may have to wake the cards. */
const SMI_MS = 10_000;
const PLACE_MS = 20_000;
const DATABASE_MS = 20_000;
/** TensorFlow needs some seconds the first time that it is read from a disk. */
const BACKEND_MS = 60_000;
const SERVICE_MS = 15_000;
/** As the SDK tries them, best first. Only their names: what loads them belongs into a child. */
const BACKENDS: readonly BackendName[] = ['native', 'node-gpu', 'node', 'wasm', 'cpu'];

export interface Patient {
  readonly smi: SmiCommand;
  readonly environment: NodeJS.ProcessEnv;
  readonly database: string;
  /** Folders that are written to, with what for. */
  readonly places: readonly { readonly what: string; readonly directory: string }[];
  /** What the driver wrote into the kernel's log. */
  readonly xids: () => Promise<DriverErrors>;
  readonly nodeVersion: string;
  readonly ups: { readonly name: string; readonly address: UpsAddress } | null;
  readonly service: () => Promise<ServiceFacts>;
  readonly now: Date;
  /** Monotonic, milliseconds. */
  readonly nowMs: () => number;
  /** What is examined at the moment, for the screen. */
  readonly onStage: (words: string) => void;
}

/** Ends within about two minutes, whatever hangs. */
export async function examine(patient: Patient): Promise<Finding[]> {
  const { onStage } = patient;
  onStage('Asking nvidia-smi');
  const look = await lookAtCards(patient.smi, patient.nowMs, SMI_MS);
  const hasCards = look.cards.length > 0;
  const cards = [
    ...checkAnswer(look),
    ...checkDriver(look.driverVersion, hasCards),
    ...checkCuda(look.cudaVersion, hasCards),
    ...look.cards.flatMap(({ sample, inventory }) => [
      ...checkCardHealth(sample),
      ...checkEcc(sample),
      ...checkPersistence(sample),
      ...checkPowerLimit(sample, inventory),
    ]),
  ];
  const errors = checkDriverErrors(await patient.xids(), look);
  onStage('Measuring the disks');
  const disks = await examineDisks(patient);
  onStage('Loading the backends');
  return [...cards, ...errors, ...disks, ...(await examineRest(patient, hasCards))];
}

/** One after another: two measurements on one disk would each see half of it. A file system is told of once. */
async function examineDisks({ places, environment }: Patient): Promise<Finding[]> {
  const findings: Finding[] = [];
  const known: number[] = [];
  for (const { what, directory } of places) {
    const answer = await askPlace(directory, known, environment, PLACE_MS);
    const isKnown = answer.kind === 'facts' && known.includes(answer.facts.device);
    if (!isKnown) findings.push(...checkDisk(what, directory, answer));
    if (answer.kind === 'facts') known.push(answer.facts.device);
  }
  return findings;
}

async function examineRest(patient: Patient, hasCards: boolean): Promise<Finding[]> {
  const { environment, database, now } = patient;
  const unknown = note('service', `Whether the next boot starts it could not be found out in ${SERVICE_MS / 1000} s.`);
  const [home, backends, clock, ups, service] = await Promise.all([
    askDatabase(database, environment, DATABASE_MS),
    examineBackends(environment),
    askClock(now, database, environment),
    patient.ups === null ? null : askUps(patient.ups.address),
    within(patient.service().then(checkService), SERVICE_MS, unknown),
  ]);
  return [
    checkStateHome(database, home),
    checkNode(patient.nodeVersion),
    ...checkBackends(backends, hasCards, chosenBackend(environment)?.record.flavour ?? null),
    checkClock(clock),
    checkUps(patient.ups?.name ?? null, ups),
    service,
  ];
}

/** One after another: each takes all of a core while it loads. */
async function examineBackends(environment: NodeJS.ProcessEnv): Promise<Awaited<ReturnType<typeof askBackend>>[]> {
  const answers = [];
  for (const name of BACKENDS) answers.push(await askBackend(name, environment, BACKEND_MS));
  return answers;
}
