/** The command line of the trainer. */
import { parseArgs } from 'node:util';
import type { DataOptions } from './data.ts';
import { Refusal } from './refusal.ts';

export interface Options extends DataOptions {
  readonly epochs: number;
  readonly width: number;
  readonly seed: number;
  readonly learningRate: number;
  readonly mixup: number;
}

const USAGE =
  'Options: --data DIR, --epochs N, --batch N, --width N, --examples N, --test-examples N, --seed N, --learning-rate X, --mixup X.';

/** @throws Refusal */
export function readOptions(args: readonly string[]): Options {
  const values = parsed(args);
  const options = {
    data: values.data ?? null,
    epochs: whole('epochs', values.epochs, 1),
    batch: whole('batch', values.batch, 2),
    width: whole('width', values.width, 1),
    examples: whole('examples', values.examples, 1),
    testExamples: whole('test-examples', values['test-examples'], 1),
    seed: whole('seed', values.seed, 0),
    learningRate: within('learning-rate', values['learning-rate'], Number.MIN_VALUE, 10),
    mixup: within('mixup', values.mixup, 0, 1),
  };
  if (options.examples >= options.batch) return options;
  throw new Refusal(`--examples ${options.examples} is less than one batch of ${options.batch}`, USAGE);
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        /** The unpacked binary version of CIFAR-10. */
        data: { type: 'string' },
        epochs: { type: 'string', default: '30' },
        batch: { type: 'string', default: '128' },
        /** Channels of the first block. */
        width: { type: 'string', default: '32' },
        /** Train and test with the first so many images only. */
        examples: { type: 'string', default: '50000' },
        'test-examples': { type: 'string', default: '10000' },
        seed: { type: 'string', default: '1' },
        'learning-rate': { type: 'string', default: '0.05' },
        /** Of the Beta distribution that mixup draws from; 0: no mixup. */
        mixup: { type: 'string', default: '0' },
      },
    }).values;
  } catch (error) {
    throw new Refusal(error instanceof Error ? (error.message.split('.', 1)[0] ?? '') : String(error), USAGE);
  }
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= least) return value;
  throw new Refusal(`--${name} takes a whole number from ${least}, not '${text}'`, USAGE);
}

function within(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  throw new Refusal(`--${name} takes a number ${least === 0 ? 'from' : 'over'} 0 to ${most}, not '${text}'`, USAGE);
}
