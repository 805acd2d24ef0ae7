/** A supervisor that does what the test says: real socket, real claim, real store; no process control. */
import { join } from 'node:path';
import { chooseCheckpoint } from '../../../src/checkpoint/choose.ts';
import { acquireClaim } from '../../../src/checkpoint/claim.ts';
import { nodeFiles } from '../../../src/checkpoint/files.ts';
import { type StoreLayout, storeLayout } from '../../../src/checkpoint/layout.ts';
import { listCheckpoints } from '../../../src/checkpoint/list.ts';
import type { Manifest } from '../../../src/checkpoint/types.ts';
import type { SupervisorConnection } from '../../../src/protocol/connection.ts';
import { type Listener, listen } from '../../../src/protocol/listen.ts';
import type {
  MessageOf,
  ResumePoint,
  SavePolicy,
  SupervisorMessage,
  WorkerMessage,
} from '../../../src/protocol/messages.ts';
import { temporaryDirectory } from '../../rig/temporary-directory.ts';
import { atTestEnd } from '../../rig/test-end.ts';
import { waitFor } from '../../rig/wait-for.ts';

const SESSION = '20261122_120000_test';

export const NO_SAVES: SavePolicy = {
  every: null,
  everySteps: null,
  everyEpochs: null,
  overhead: 0.005,
  asyncSave: null,
  keep: 50,
  maxBytes: null,
  best: null,
  onFullDisk: null,
  bestMinDelta: null,
};

export class ScriptedSupervisor {
  readonly layout: StoreLayout;
  readonly messages: WorkerMessage[] = [];
  policy: SavePolicy;
  /** False: `hello` is left unanswered. */
  welcomes = true;
  /** What the welcome names; `choose`: the newest that verifies. */
  resume: ResumePoint | null | 'choose' = 'choose';
  learningRateScale = 1;
  claim = 0;
  attempt = 0;
  readonly #socket: string;
  #listener: Listener | null = null;
  #connection: SupervisorConnection | null = null;

  constructor(policy: Partial<SavePolicy> = {}) {
    const root = temporaryDirectory();
    this.layout = storeLayout(join(root, 'checkpoints'), join(root, 'backups'), SESSION);
    this.#socket = join(root, 'socket');
    this.policy = { ...NO_SAVES, ...policy };
    atTestEnd(() => this.die());
  }

  /** Environment of the next attempt. */
  environment(): NodeJS.ProcessEnv {
    this.attempt++;
    return {
      NKAT_SOCKET: this.#socket,
      NKAT_TOKEN: 'secret',
      NKAT_SESSION: SESSION,
      NKAT_ATTEMPT: String(this.attempt),
      NKAT_CHECKPOINT_DIR: this.layout.directory,
    };
  }

  /** Claims the session and listens: a start, or the start of a successor. */
  async live(): Promise<this> {
    await this.takeClaim();
    this.#listener = await listen(this.#socket, (connection) => {
      this.#connection = connection;
      connection.onMessage((message) => {
        this.messages.push(message);
        if (message.type === 'hello' && this.welcomes) void this.#welcome(connection);
      });
    });
    return this;
  }

  async takeClaim(): Promise<void> {
    const outcome = await acquireClaim(nodeFiles, this.layout.directory, { role: 'supervisor', takeOver: false });
    if (outcome.status !== 'claimed') throw new Error('the claim is held');
    this.claim = outcome.claim;
  }

  /** As `kill -9` of a supervisor looks from outside: the channel closes. */
  async die(): Promise<void> {
    await this.#listener?.close();
    this.#listener = null;
    this.#connection = null;
  }

  send(message: SupervisorMessage): void {
    if (this.#connection === null) throw new Error('no worker is connected');
    this.#connection.send(message);
  }

  save(request: string, kinds: string[] = ['manual'], reason: string | null = null): void {
    this.send({ v: 1, type: 'save', request, kinds, reason });
  }

  stop(request: string, reason: string | null = null): void {
    this.send({ v: 1, type: 'stop', request, reason, deadlineMs: 60_000 });
  }

  of<T extends WorkerMessage['type']>(type: T): MessageOf<WorkerMessage, T>[] {
    return this.messages.filter((message): message is MessageOf<WorkerMessage, T> => message.type === type);
  }

  /** The first message of this type that fits, past or to come. */
  heard<T extends WorkerMessage['type']>(
    type: T,
    fits: (message: MessageOf<WorkerMessage, T>) => boolean = () => true,
  ): Promise<MessageOf<WorkerMessage, T>> {
    return waitFor(`a '${type}' message`, () => this.of(type).find(fits));
  }

  async manifests(): Promise<Manifest[]> {
    const entries = await listCheckpoints(nodeFiles, this.layout);
    return entries.flatMap(({ manifest, place }) => (manifest === null || place !== 'session' ? [] : [manifest]));
  }

  /** Digest of the final checkpoint. */
  async finalDigest(): Promise<string> {
    const final = (await this.manifests()).find(({ kinds }) => kinds.includes('final'));
    if (final === undefined) throw new Error('there is no final checkpoint');
    return final.tensorsDigest;
  }

  async #welcome(connection: SupervisorConnection): Promise<void> {
    connection.send({
      v: 1,
      type: 'welcome',
      session: SESSION,
      attempt: this.attempt,
      claim: this.claim,
      directory: this.layout.directory,
      backups: this.layout.backups,
      resume: this.resume === 'choose' ? await this.choose() : this.resume,
      policy: this.policy,
      keepPolicy: null,
      orphanLimitMs: null,
      requireGpu: false,
      learningRateScale: this.learningRateScale,
      trainer: { path: '/trainer.mjs', args: [], sourceDigest: null },
    });
  }

  async choose(): Promise<ResumePoint | null> {
    const { chosen } = await chooseCheckpoint(nodeFiles, {
      layout: this.layout,
      setAside: new Set(),
      quarantine: false,
    });
    if (chosen === null) return null;
    const { sequence, step, epoch } = chosen.manifest;
    return { sequence, path: chosen.path, step, epoch };
  }
}
