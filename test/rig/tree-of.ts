/** A folder as it stands: each file with its inode, time of change and digest, so that any touch of it is seen. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One line for each file below `folder`, in the order of their names. */
export function treeOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .flatMap((name) => {
      const facts = lstatSync(join(folder, name));
      if (!facts.isFile()) return [];
      const digest = createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex');
      return [`${name} ${facts.ino} ${facts.mtimeMs} ${facts.mode} ${digest}`];
    });
}
