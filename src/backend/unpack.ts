/** Unpacks wheels and npm packages with the Python that pip needs anyway: neither Node nor every machine has unzip and tar. */
import { failedProgram } from './failed-program.ts';
import type { RunProgram } from './program.ts';

/**
 * `wheel FILE TARGET RULES...`: each rule is `prefix=folder`; what begins with a prefix goes into the folder. `package FILE TARGET`:
 * an npm tarball without its top folder. Names that lead out of the target are refused.
 */
const SCRIPT = `
import os, shutil, sys, tarfile, zipfile
kind, source, target, *rules = sys.argv[1:]
rules = [rule.split('=', 1) for rule in rules]
def put(name, stream, mode):
    path = os.path.normpath(os.path.join(target, name))
    if not path.startswith(os.path.normpath(target) + os.sep):
        sys.exit('it holds a name that leads out of its folder: ' + name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as out:
        shutil.copyfileobj(stream, out, 1 << 20)
    os.chmod(path, mode)
if kind == 'wheel':
    with zipfile.ZipFile(source) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            for prefix, folder in rules:
                if info.filename.startswith(prefix):
                    with archive.open(info) as stream:
                        put(os.path.join(folder, info.filename[len(prefix):]) if info.filename != prefix else folder, stream, 0o644)
                    break
else:
    with tarfile.open(source) as archive:
        for member in archive:
            if member.isfile():
                put(member.name.split('/', 1)[1], archive.extractfile(member), 0o644)
`;

export interface Unpacking {
  readonly kind: 'wheel' | 'package';
  readonly source: string;
  readonly target: string;
  /** Of a wheel: what begins with `prefix` goes into `folder`; the first rule that fits counts. */
  readonly rules: readonly { readonly prefix: string; readonly folder: string }[];
  readonly python: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: string;
  readonly run: RunProgram;
}

/** @throws NkatError `no-space`, `download-damaged` */
export async function unpack({ kind, source, target, rules, python, environment, log, run }: Unpacking): Promise<void> {
  const words = rules.map(({ prefix, folder }) => `${prefix}=${folder}`);
  const args = ['-c', SCRIPT, kind, source, target, ...words];
  const end = await run({ file: python, args, cwd: target, environment, log });
  if (end.code === 0) return;
  throw failedProgram(end, {
    program: 'unpacking',
    operation: 'unpack a download',
    otherwise: 'download-damaged',
    log,
  });
}
