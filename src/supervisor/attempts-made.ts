/**
 * How many attempts a session has had, also where a full disk kept its record or its index from learning of the newest: the
 * number of an attempt names its output and its checkpoints, and is never given twice.
 */
import { readdir } from 'node:fs/promises';
import { errnoOf } from '../errors.ts';
import { numberOfAttemptFile } from './attempt-files.ts';

/**
 * @param recorded by the session's record
 * @param indexed by the database
 * @param outputDirectory holds files of each attempt that was launched
 */
export async function attemptsMade(recorded: number, indexed: number, outputDirectory: string): Promise<number> {
  return Math.max(recorded, indexed, ...(await namesIn(outputDirectory)).map((name) => numberOfAttemptFile(name) ?? 0));
}

/** A folder that cannot be read says nothing; the launch will find out what is wrong with it. */
async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return [];
  }
}
