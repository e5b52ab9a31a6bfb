import { HublineageError } from '../../types/errors.ts';
import type { RawTensor } from '../raw-tensor.ts';

/** A packed weight that is recognised but not decoded: it counts with its shape and its scheme's name. */
export function createOpaqueTensor(
  tensor: Pick<RawTensor, 'name' | 'shape' | 'dtype' | 'encoding' | 'file'>,
): RawTensor {
  const refuse = (): never => {
    throw new HublineageError(
      'ContainerUnsupported',
      `${tensor.name} is packed as ${tensor.encoding}, which is not decoded`,
      {
        where: tensor.file,
      },
    );
  };
  return { ...tensor, decodable: false, blockCols: 1, segmentRanges: refuse, decodeSegment: refuse };
}
