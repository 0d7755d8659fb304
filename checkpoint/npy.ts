// .npy (NumPy, format versions 1 to 3): magic, version, length of a header, the header as the text of a Python dictionary,
// then the numbers: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. A matrix in Fortran order is
// given with its sizes turned round, as what it is in memory.

import { inputError } from '../emulator/errors.ts';
import { NUMBER_BYTES, type NumberType, numbersOf, shown, type Tensor } from './tensor.ts';

const MAGIC = '\x93NUMPY';
const LENGTH_AT = 8;

const TYPES: Readonly<Record<string, NumberType>> = {
  f8: 'F64',
  f4: 'F32',
  f2: 'F16',
  i8: 'I64',
  i4: 'I32',
  i2: 'I16',
  i1: 'I8',
  u8: 'U64',
  u4: 'U32',
  u2: 'U16',
  u1: 'U8',
  b1: 'BOOL',
};

export interface NpyTensor extends Tensor {
  /** The sizes were turned round. */
  readonly isTurned: boolean;
}

/** `read` gives bytes of the array file, which has `size` of them and lies at `base` of `file`. */
export function readNpy(
  name: string,
  file: string,
  base: number,
  size: number,
  read: (offset: number, length: number) => Buffer,
): NpyTensor {
  const fail = (what: string): Error => inputError(`${file}: array ${shown(name)}: ${what}`);
  if (size < LENGTH_AT + 4 || read(0, MAGIC.length).toString('latin1') !== MAGIC) throw fail('not a .npy array');
  const [version] = read(MAGIC.length, 1);
  if (version < 1 || version > 3) throw fail(`version ${version} of the format, allowed 1 to 3`);
  const wide = version > 1;
  const length = wide ? read(LENGTH_AT, 4).readUInt32LE() : read(LENGTH_AT, 2).readUInt16LE();
  const start = LENGTH_AT + (wide ? 4 : 2) + length;
  if (start > size) throw fail(`truncated, its header ends at byte ${start}, the array at byte ${size}`);
  const header = read(start - length, length).toString('latin1');
  const type = typeOf(header, fail);
  const shape = shapeOf(header, fail);
  const bytes = numbersOf(shape) * NUMBER_BYTES[type];
  if (start + bytes !== size)
    throw fail(`${type} [${shape.join(', ')}] asks for ${bytes} bytes behind the header, there are ${size - start}`);
  const isTurned = /['"]fortran_order['"]\s*:\s*True/.test(header) && shape.length > 1;
  return { name, type, shape: isTurned ? shape.toReversed() : shape, file, offset: base + start, isTurned };
}

function typeOf(header: string, fail: (what: string) => Error): NumberType {
  const descr = /['"]descr['"]\s*:\s*['"]([<>=|]?)(\w+)['"]/.exec(header);
  if (descr === null) throw fail('no plain type of numbers (descr) in its header');
  const [, order, code] = descr;
  if (!Object.hasOwn(TYPES, code) || (order === '>' && !code.endsWith('1')))
    throw fail(`numbers of type ${shown(order + code)}, allowed ${Object.keys(TYPES).join(', ')}, lowest byte first`);
  return TYPES[code];
}

function shapeOf(header: string, fail: (what: string) => Error): number[] {
  const found = /['"]shape['"]\s*:\s*\(([\d\s,]*)\)/.exec(header);
  if (found === null) throw fail('no shape in its header');
  return found[1]
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
}
