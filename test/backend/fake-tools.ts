/** Programs on a PATH of a test's own that do what an installation asks of them, note each call, and hang where they are told to. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

const MAKE_ARCHIVES = `
import io, sys, tarfile, zipfile
folder = sys.argv[1]
with zipfile.ZipFile(folder + '/fake.whl', 'w') as wheel:
    for name in ['tensorflow/include/tensorflow/c/c_api.h', 'tensorflow/libtensorflow_cc.so.2',
                 'tensorflow/libtensorflow_framework.so.2', 'tensorflow/python/much.so', 'nvidia/cudnn/lib/libcudnn.so.9']:
        wheel.writestr(name, name)
with tarfile.open(folder + '/fake.tgz', 'w:gz') as tar:
    for name in ['package/package.json', 'package/binding.gyp', 'package/binding/x.cc', 'package/dist/index.js']:
        info = tarfile.TarInfo(name); info.size = len(name)
        tar.addfile(info, io.BytesIO(name.encode()))
`;

export class FakeTools {
  readonly folder = temporaryDirectory();
  readonly bin = join(this.folder, 'bin');
  readonly nodeDirectory = join(this.folder, 'headers');
  readonly checkScript = join(this.folder, 'check.js');
  readonly #calls = join(this.folder, 'calls');

  constructor() {
    const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
    execFileSync(python, ['-c', MAKE_ARCHIVES, this.folder]);
    for (const folder of [
      this.bin,
      join(this.folder, 'node_modules/node-gyp/bin'),
      join(this.nodeDirectory, 'include/node'),
    ]) {
      mkdirSync(folder, { recursive: true });
    }
    writeFileSync(join(this.nodeDirectory, 'include/node/node_api.h'), '');
    writeFileSync(this.#calls, '');
    // As make does: the one who works is a grandchild.
    const hang = (word: string): string =>
      `[ "$HANG" = ${word} ] && { sleep 1000 & echo $$ $! > ${this.folder}/hanging; exec sleep 1000; }`;
    this.program(
      'python3',
      `case "$1 $2 $3" in
        "-c import sys"*) echo 3;;
        "-m pip --version") echo pip;;
        "-m pip download") echo pip >> ${this.#calls}; ${hang('pip')}
          while [ "$1" != --dest ]; do shift; done; cp ${this.folder}/fake.whl "$2/fake.whl";;
        *) echo unpack >> ${this.#calls}; ${hang('unpack')}
          exec ${python} "$@";;
      esac`,
    );
    this.program(
      'npm',
      `echo npm >> ${this.#calls}; ${hang('npm')}\nwhile [ "$1" != --pack-destination ]; do shift; done; cp ${this.folder}/fake.tgz "$2/"`,
    );
    this.program('g++', '');
    this.program('make', '');
    this.#script(join(this.folder, 'node_modules/node-gyp/bin/node-gyp.js'), 'node-gyp', [
      "if (!/^[\\w./+@-]+$/.test(process.cwd())) throw new Error('make: no rule for ' + process.cwd());",
      "const path = process.argv.find((each) => each.startsWith('--module_path=')).slice('--module_path='.length);",
      'fs.mkdirSync(path, { recursive: true });',
      "fs.writeFileSync(path + '/tfjs_binding.node', fs.readFileSync('deps/include/tensorflow/c/c_api.h'));",
    ]);
    this.#script(this.checkScript, 'check', [
      `if (fs.existsSync('${this.folder}/broken')) throw new Error('libz.so.9: cannot open shared object file');`,
      "console.log(JSON.stringify({ device: 'cpu', tensorflow: '9.9.9', whyNoGpu: null, loadMs: 1, stepMs: 2 }));",
    ]);
  }

  get integrity(): string {
    return `sha512-${createHash('sha512')
      .update(readFileSync(join(this.folder, 'fake.tgz')))
      .digest('base64')}`;
  }

  get wheelHash(): string {
    return createHash('sha256')
      .update(readFileSync(join(this.folder, 'fake.whl')))
      .digest('hex');
  }

  program(name: string, body: string): void {
    const path = join(this.bin, name);
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
  }

  /** Programs in the order of their calls since the last look. */
  takeCalls(): string[] {
    const calls = readFileSync(this.#calls, 'utf8').split('\n').filter(Boolean);
    writeFileSync(this.#calls, '');
    return calls;
  }

  /** The process that hangs and the one that it has started, once they are there. */
  hanging(): number[] {
    const path = join(this.folder, 'hanging');
    const text = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
    return text === '' ? [] : text.split(' ').map(Number);
  }

  #script(path: string, word: string, lines: readonly string[]): void {
    const all = [
      "const fs = require('node:fs');",
      `fs.appendFileSync('${this.#calls}', '${word}\\n');`,
      `if (process.env.HANG === '${word}') {`,
      "  const { pid } = require('node:child_process').spawn('sleep', ['1000']);",
      `  fs.writeFileSync('${this.folder}/hanging', process.pid + ' ' + pid);`,
      '  setInterval(() => {}, 1000);',
      '} else {',
      ...lines,
      '}',
    ];
    writeFileSync(path, all.join('\n'));
  }
}
