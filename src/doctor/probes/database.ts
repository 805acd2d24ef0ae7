/** A program: reads every page of the session database and prints one line of JSON. `node database.js <file>` */
import { NkatError } from '../../errors.ts';
import { inspectDatabase } from '../../sessions/inspect-file.ts';
import type { HomeAnswer } from '../checks/state-home.ts';

function answer(path: string): HomeAnswer {
  try {
    return inspectDatabase(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: error instanceof NkatError && error.code === 'database-newer' ? 'newer' : 'refused', reason };
  }
}

process.stdout.write(`${JSON.stringify(answer(process.argv[2] ?? ''))}\n`);
