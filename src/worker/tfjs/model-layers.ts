/** The layers of a model, those of models inside it too, in structural order. */
import type { LayersModel, layers } from '@tensorflow/tfjs-layers';

type Layer = layers.Layer;

/** @param classNames as tfjs writes them into a topology: `BatchNormalization` */
export function layersOfClass(model: LayersModel, classNames: readonly string[]): Layer[] {
  return model.layers.flatMap((layer) => {
    if ('layers' in layer && Array.isArray(layer.layers)) return layersOfClass(layer as LayersModel, classNames);
    return classNames.includes(layer.getClassName()) ? [layer] : [];
  });
}
