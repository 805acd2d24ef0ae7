import { expect, test } from 'vitest';
import { fetchPackage, fetchWheel } from '../../src/backend/download.ts';
import { failedProgram } from '../../src/backend/failed-program.ts';
import { runProgram } from '../../src/backend/program.ts';
import { findProgram } from '../../src/executable.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

const failed = { program: 'pip', operation: 'fetch it', otherwise: 'backend-broken', log: '/log' } as const;

test.each([
  ['ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device', 'no-space'],
  ['OSError: [Errno 122] Disk quota exceeded', 'no-space'],
  [
    "WARNING: Retrying ... Failed to establish a new connection: [Errno -2] Name or service not known'",
    'download-failed',
  ],
  ['npm error code ENOTFOUND\nnpm error network request to https://registry.npmjs.org failed', 'download-failed'],
  ['npm error code E404\nnpm error 404 Not Found', 'download-failed'],
  ['ERROR: No matching distribution found for tensorflow-cpu==99.0.0', 'download-failed'],
  ['x.cc:1:10: fatal error: no.h: No such file or directory', 'backend-broken'],
])('%s: %s', (text, code) => {
  const error = failedProgram({ code: 1, errno: null, stdout: '', tail: text.split('\n') }, failed);
  expect(error.code).toBe(code);
  expect(error.path).toBe('/log');
  const telling = text.split('\n').find((line) => error.message.includes(line.trim()));
  expect(telling, error.message).toBeDefined();
});

test('no network: pip and npm themselves say so, and the error tells it from a version that does not exist', async () => {
  const folder = temporaryDirectory();
  const log = `${folder}/log`;
  // Nobody listens on the discard port.
  const nowhere = 'http://127.0.0.1:9/';
  const environment = {
    PATH: process.env.PATH,
    HOME: folder,
    PIP_CONFIG_FILE: '/dev/null',
    PIP_INDEX_URL: nowhere,
    PIP_RETRIES: '0',
    npm_config_registry: nowhere,
    npm_config_fetch_retries: '0',
    npm_config_cache: folder,
  };
  const python = findProgram('python3', { path: environment.PATH, cwd: '/' }) ?? '';
  const wheel = { name: 'tensorflow-cpu', version: '2.21.0', sha256: null, bytes: null };
  const fetching = { environment, log, run: runProgram };
  const pip = fetchWheel(python, wheel, { ...fetching, folder: temporaryDirectory() });
  await expect(pip).rejects.toMatchObject({ code: 'download-failed', message: expect.stringContaining('network') });
  const wanted = { name: 'progress', version: '2.0.3', integrity: 'sha512-' };
  const npm = fetchPackage(findProgram('npm', { path: environment.PATH, cwd: '/' }) ?? '', wanted, {
    ...fetching,
    folder: temporaryDirectory(),
  });
  await expect(npm).rejects.toMatchObject({ code: 'download-failed', message: expect.stringContaining('network') });
  const offline = { ...environment, PIP_NO_INDEX: '1', PIP_FIND_LINKS: folder };
  const none = fetchWheel(python, wheel, { ...fetching, environment: offline, folder: temporaryDirectory() });
  await expect(none).rejects.toMatchObject({
    code: 'download-failed',
    message: expect.stringContaining('no such version'),
  });
});
