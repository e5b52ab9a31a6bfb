import { HublineageError } from '../../../types/errors.ts';

/** TensorFlow.js as a whole: mixing copies of its core loses the chained operations. */
export type Tensorflow = typeof import('@tensorflow/tfjs');

export const BACKENDS = ['tensorflow', 'wasm', 'cpu'] as const;
export type BackendName = (typeof BACKENDS)[number];

export interface Backend {
  tf: Tensorflow;
  name: BackendName;
}

/**
 * Loads TensorFlow.js, which training needs and scoring does not, with the fastest backend there is: the native one where
 * `@tensorflow/tfjs-node` is installed, else WebAssembly, else plain JavaScript.
 * Unexpected when the preferred backend does not load.
 */
export async function loadBackend(preferred?: BackendName): Promise<Backend> {
  const order = preferred === undefined ? BACKENDS : [preferred];
  for (const name of order) {
    const backend = await tryBackend(name);
    if (backend) return backend;
  }
  throw new HublineageError('Unexpected', `TensorFlow.js has no backend "${order.join('", "')}" here`, {
    hint:
      preferred === 'tensorflow'
        ? 'install @tensorflow/tfjs-node, or train with the WebAssembly backend'
        : 'check that @tensorflow/tfjs is installed',
  });
}

async function tryBackend(name: BackendName): Promise<Backend | null> {
  try {
    // the native package registers itself with the same copy of TensorFlow.js; its name is a variable because it may not be there
    const native = '@tensorflow/tfjs-node';
    if (name === 'tensorflow') await import(native);
    const tf = await import('@tensorflow/tfjs');
    // otherwise TensorFlow.js advertises its native package on the console
    tf.enableProdMode();
    if (name === 'wasm') await import('@tensorflow/tfjs-backend-wasm');
    if (!(await tf.setBackend(name))) return null;
    await tf.ready();
    return { tf, name };
  } catch {
    return null;
  }
}
