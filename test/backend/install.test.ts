import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { errnoOf } from '../../src/errors.ts';
import { installedBackends, readBackend } from '../../src/installed-backend.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { atTestEnd } from '../rig/test-end.ts';
import { waitFor } from '../rig/wait-for.ts';
import { FakeTools } from './fake-tools.ts';

const PROGRAM = fileURLToPath(new URL('install-program.mjs', import.meta.url));
const ALL = ['npm', 'unpack', 'pip', 'unpack', 'node-gyp', 'check'];

class Installation {
  readonly tools = new FakeTools();
  readonly home: { readonly directory: string };
  readonly root: string;
  /** The system's folder for temporary files. */
  readonly temporary = temporaryDirectory();

  /** @param name of the state home */
  constructor(name = 'home') {
    this.home = { directory: join(temporaryDirectory(), name) };
    this.root = join(this.home.directory, 'backends');
  }

  start(hang = '', changes: object = {}): ChildProcess {
    const { tools, home } = this;
    const request = {
      home,
      flavour: 'cpu',
      tensorflow: '9.9.9',
      packages: [{ name: '@tensorflow/tfjs-node-gpu', version: '4.22.0', integrity: tools.integrity }],
      wheels: [{ name: 'tensorflow-cpu', version: '9.9.9', sha256: tools.wheelHash, bytes: null }],
      neededBytes: 1_000_000,
      nodeDirectory: tools.nodeDirectory,
      environment: { PATH: `${tools.bin}:/usr/bin:/bin`, HANG: hang },
      checkScript: tools.checkScript,
      platform: { os: 'linux', arch: 'x64' },
      ...changes,
    };
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(request)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: this.temporary },
    });
    atTestEnd(() => child.kill('SIGKILL'));
    return child;
  }

  async outcome(changes: object = {}): Promise<Record<string, unknown>> {
    const child = this.start('', changes);
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    await once(child, 'close');
    return JSON.parse(text) as Record<string, unknown>;
  }

  hidden(): string[] {
    return existsSync(this.root) ? readdirSync(this.root).filter((name) => name.startsWith('.')) : [];
  }
}

test('from nothing: what was built stands there whole, and a second time it is only checked', async () => {
  const it = new Installation();
  const { present, folder, device } = await it.outcome();
  expect({ present, device }).toEqual({ present: false, device: 'cpu' });
  expect(it.tools.takeCalls()).toEqual(ALL);
  expect(it.hidden()).toEqual([]);
  const [installed] = installedBackends(it.home);
  expect(installed?.folder).toBe(folder);
  expect(installed?.record).toMatchObject({
    flavour: 'cpu',
    tensorflow: '9.9.9',
    tfjs: '4.22.0',
    wheels: [{ name: 'tensorflow-cpu', version: '9.9.9', sha256: it.tools.wheelHash }],
    libraryFolders: [],
  });
  const at = (...names: string[]): string => join(String(folder), ...names);
  // Two folders above the binding, where it looks for them.
  expect(readdirSync(at('deps', 'lib')).sort()).toEqual([
    'libtensorflow.so',
    'libtensorflow_cc.so.2',
    'libtensorflow_framework.so',
    'libtensorflow_framework.so.2',
  ]);
  expect(existsSync(at('deps', 'lib', 'libtensorflow.so'))).toBe(true);
  expect(existsSync(at('deps', 'include'))).toBe(false);
  expect(existsSync(at('binding', 'napi-v8', 'tfjs_binding.node'))).toBe(true);
  expect(readFileSync(at('packages/node_modules/@tensorflow/tfjs/index.js'), 'utf8')).toContain(
    'nkat-recover.native-backend',
  );

  // What another installation of it left is of no use any more.
  mkdirSync(join(it.root, '.building-cpu-9.9.9', 'wheels'), { recursive: true });
  expect(await it.outcome()).toMatchObject({ present: true, folder });
  expect(it.hidden()).toEqual([]);
  expect(it.tools.takeCalls()).toEqual(['check']);
});

describe('killed, its programs and theirs end with it, nothing counts as installed, and the next call goes on after the last whole product', () => {
  const cases = [
    { at: 'npm', after: ALL },
    { at: 'pip', after: ALL.slice(2), signal: 'SIGTERM' },
    { at: 'unpack', after: ALL },
    { at: 'node-gyp', after: ALL.slice(4) },
    // make can work in no such folder.
    { at: 'node-gyp', after: ALL.slice(4), signal: 'SIGINT', home: 'Zoë $HOME: a #1' },
    { at: 'check', after: ALL.slice(5) },
  ] as const;
  test.concurrent.each(cases)('at $at', async ({ at, after, ...how }) => {
    const it = new Installation('home' in how ? how.home : 'home');
    const child = it.start(at);
    await waitFor(
      () => `the program that hangs: ${at}`,
      () => it.tools.hanging().length === 2,
    );
    const programs = it.tools.hanging();
    atTestEnd(() => {
      for (const pid of programs.filter(isAlive)) process.kill(pid, 'SIGKILL');
    });
    child.kill('signal' in how ? how.signal : 'SIGKILL');
    await once(child, 'close');
    await waitFor(
      () => `the end of ${programs.join(' and ')}`,
      () => !programs.some(isAlive),
    );
    expect(installedBackends(it.home)).toEqual([]);
    it.tools.takeCalls();
    expect(await it.outcome()).toMatchObject({ present: false });
    expect(it.tools.takeCalls()).toEqual(after);
    expect(it.hidden()).toEqual([]);
    expect(readdirSync(it.temporary)).toEqual([]);
  });
});

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return false;
  }
}

test('what does not train is not installed, and only what was compiled is made anew', async () => {
  const it = new Installation();
  writeFileSync(join(it.tools.folder, 'broken'), '');
  expect(await it.outcome()).toMatchObject({ code: 'backend-broken', message: expect.stringContaining('libz.so.9') });
  expect(installedBackends(it.home)).toEqual([]);
  it.tools.takeCalls();
  const { unlinkSync } = await import('node:fs');
  unlinkSync(join(it.tools.folder, 'broken'));
  expect(await it.outcome()).toMatchObject({ present: false });
  expect(it.tools.takeCalls()).toEqual(['node-gyp', 'check']);
});

test('a wheel and a package that are not the pinned ones are refused, and nothing of them stays', async () => {
  const it = new Installation();
  const wheels = [{ name: 'tensorflow-cpu', version: '9.9.9', sha256: '0'.repeat(64), bytes: null }];
  expect(await it.outcome({ wheels })).toMatchObject({ code: 'download-damaged' });
  expect(existsSync(join(it.root, '.building-cpu-9.9.9', 'wheels', 'tensorflow-cpu'))).toBe(false);
  const other = new Installation();
  const packages = [{ name: '@tensorflow/tfjs-node-gpu', version: '4.22.0', integrity: 'sha512-no' }];
  expect(await other.outcome({ packages })).toMatchObject({ code: 'download-damaged' });
  expect(existsSync(join(other.root, '.building-cpu-9.9.9', 'packages'))).toBe(false);
});

test('a file of an installed backend that changed is seen, and a new one takes its place', async () => {
  const it = new Installation();
  const { folder } = await it.outcome();
  writeFileSync(join(String(folder), 'deps/lib/libtensorflow_cc.so.2'), 'rot');
  it.tools.takeCalls();
  expect(await it.outcome()).toMatchObject({ present: false });
  expect(it.tools.takeCalls()).toEqual(ALL);
  expect(existsSync(String(folder))).toBe(false);
  expect(installedBackends(it.home)).toHaveLength(1);
});

test("NVIDIA's libraries lie where the run paths of TensorFlow's lead, their folders are told, their bytes are checked", async () => {
  const it = new Installation();
  const wheels = ['tensorflow', 'nvidia-cudnn-cu12'].map((name) => ({
    name,
    version: '9.9.9',
    sha256: null,
    bytes: null,
  }));
  const { folder } = await it.outcome({ flavour: 'cuda12', wheels });
  const record = readBackend(String(folder))?.record;
  expect(record?.libraryFolders).toEqual(['nvidia/cudnn/lib']);
  const library = join(String(folder), 'deps', 'lib', '../../nvidia/cudnn/lib/libcudnn.so.9');
  expect(record?.wheels.map(({ name }) => name)).toEqual(['tensorflow', 'nvidia-cudnn-cu12']);
  writeFileSync(library, 'nvidia/cudnn/lib/libcudnn.so.0');
  it.tools.takeCalls();
  expect(await it.outcome({ flavour: 'cuda12', wheels })).toMatchObject({ present: false });
  expect(it.tools.takeCalls()).not.toEqual(['check']);
});

test('too little space and another platform are refused before anything is fetched', async () => {
  const it = new Installation();
  expect(await it.outcome({ neededBytes: 1e18 })).toMatchObject({
    code: 'no-space',
    hint: expect.stringContaining('NKAT_HOME'),
  });
  expect(await it.outcome({ platform: { os: 'darwin', arch: 'arm64' } })).toMatchObject({ code: 'backend-platform' });
  expect(it.tools.takeCalls()).toEqual([]);
});

test('what an earlier boot left half-made is made anew', async () => {
  const it = new Installation();
  const left = join(it.root, '.building-cpu-9.9.9');
  mkdirSync(join(left, 'packages'), { recursive: true });
  writeFileSync(join(left, 'boot'), 'another');
  expect(await it.outcome()).toMatchObject({ present: false });
  expect(it.tools.takeCalls()).toEqual(ALL);
});
