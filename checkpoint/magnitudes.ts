// The numbers of a tensor as magnitudes, piece by piece: |x| as the bits of a float of 32, whose order as whole numbers is that
// of the magnitudes. Zero of either sign is 0; NaN is above INFINITE. Every type of a number that is not zero stays
// above zero.

import { inputError } from '../emulator/errors.ts';
import { withFile } from './file.ts';
import { isNumberType, NUMBER_BYTES, type NumberType, numbersOf, shown, type Tensor } from './tensor.ts';

/** The magnitude of infinity; what is larger is NaN. */
export const INFINITE = 0x7f800000;

/** Numbers of a piece. */
const PIECE = 2 ** 20;

/** Gives the magnitudes of a tensor from front to back; the array is used again for the next piece. */
export function eachPiece(tensor: Tensor, use: (magnitudes: Int32Array, count: number, first: number) => void): void {
  const { name, type, shape, file, offset, held } = tensor;
  if (!isNumberType(type))
    throw inputError(
      `${file}: tensor ${shown(name)} is of type ${type}, whose numbers cannot be read; allowed F32, F16 and BF16`,
    );
  const size = NUMBER_BYTES[type];
  const all = numbersOf(shape);
  const magnitudes = new Int32Array(Math.min(PIECE, all));
  const bytes = new Uint8Array(magnitudes.length * size);
  const fillFrom = (fill: (into: Uint8Array, at: number) => void): void => {
    for (let first = 0; first < all; first += PIECE) {
      const count = Math.min(PIECE, all - first);
      fill(bytes.subarray(0, count * size), offset + first * size);
      toMagnitudes(type, bytes, count, magnitudes);
      use(magnitudes, count, first);
    }
  };
  if (held !== undefined) fillFrom((into, at) => into.set(held.subarray(at, at + into.length)));
  else withFile(file, (opened) => fillFrom((into, at) => opened.fill(into, at, `tensor ${shown(name)}`)));
}

/** `bytes` begin at a multiple of eight of their buffer. */
function toMagnitudes(type: NumberType, { buffer }: Uint8Array<ArrayBuffer>, count: number, into: Int32Array): void {
  if (type === 'F32') {
    const from = new Int32Array(buffer, 0, count);
    for (let i = 0; i < count; i++) into[i] = from[i] & 0x7fffffff;
  } else if (type === 'F16') {
    const from = new Uint16Array(buffer, 0, count);
    const table = halves();
    for (let i = 0; i < count; i++) into[i] = table[from[i] & 0x7fff];
  } else if (type === 'BF16') {
    const from = new Uint16Array(buffer, 0, count);
    for (let i = 0; i < count; i++) into[i] = (from[i] & 0x7fff) << 16;
  } else wholeMagnitudes(type, buffer, count, into);
}

function wholeMagnitudes(
  type: Exclude<NumberType, 'F32' | 'F16' | 'BF16'>,
  buffer: ArrayBuffer,
  count: number,
  into: Int32Array,
): void {
  const views = {
    F64: Float64Array,
    I64: BigInt64Array,
    I32: Int32Array,
    I16: Int16Array,
    I8: Int8Array,
    U64: BigUint64Array,
    U32: Uint32Array,
    U16: Uint16Array,
    U8: Uint8Array,
    BOOL: Uint8Array,
  } as const;
  const from = new views[type](buffer, 0, count);
  const float = new Float32Array(1);
  const bits = new Int32Array(float.buffer);
  for (let i = 0; i < count; i++) {
    const value = Math.abs(Number(from[i]));
    float[0] = value;
    // What is too small for a float is not zero for that.
    into[i] = value !== 0 && bits[0] === 0 ? 1 : bits[0] & 0x7fffffff;
  }
}

let halfTable: Int32Array | undefined;

/** Bits of the float of each fp16 magnitude. */
function halves(): Int32Array {
  if (halfTable !== undefined) return halfTable;
  const floats = new Float32Array(0x8000);
  for (let half = 0; half < floats.length; half++) {
    const exponent = half >> 10;
    const fraction = half & 1023;
    if (exponent === 31) floats[half] = fraction === 0 ? Infinity : Number.NaN;
    else floats[half] = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  }
  halfTable = new Int32Array(floats.buffer);
  return halfTable;
}
