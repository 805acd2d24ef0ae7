/** Three blocks of convolutions, each halving the image and doubling the channels. */
import * as tfl from '@tensorflow/tfjs-layers';
import { CHANNELS, CLASSES, SIDE } from './records.ts';

/** Share of the values that are dropped after each block. */
const DROPOUT = [0.2, 0.3, 0.4];
/** Of the moving statistics: those of the last ten steps count most, so that short runs have them too. */
const MOMENTUM = 0.9;

/** @param width channels of the first block */
export function network(width: number, seed: number): tfl.Sequential {
  let layers = 0;
  const kernelInitializer = () => tfl.initializers.heNormal({ seed: seed * 100 + ++layers });
  const convolution = (filters: number, first: boolean) => [
    tfl.layers.conv2d({
      filters,
      kernelSize: 3,
      padding: 'same',
      // The normalization after it has a bias of its own.
      useBias: false,
      kernelInitializer: kernelInitializer(),
      ...(first ? { inputShape: [SIDE, SIDE, CHANNELS] } : {}),
    }),
    tfl.layers.batchNormalization({ momentum: MOMENTUM }),
    tfl.layers.reLU(),
  ];
  const blocks = DROPOUT.flatMap((rate, index) => [
    ...convolution(width * 2 ** index, index === 0),
    ...convolution(width * 2 ** index, false),
    tfl.layers.maxPooling2d({ poolSize: 2 }),
    tfl.layers.dropout({ rate }),
  ]);
  const head = tfl.layers.dense({ units: CLASSES, kernelInitializer: kernelInitializer() });
  // The mean over the image, not all 16 places of it: a head of 2,048 inputs is thrown about by these learning rates.
  return tfl.sequential({ layers: [...blocks, tfl.layers.globalAveragePooling2d({}), head] });
}
