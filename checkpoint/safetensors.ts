// safetensors (Hugging Face): eight bytes of length N, lowest first; N bytes of JSON, which gives each tensor its dtype, shape
// and data_offsets [from, until) behind the header, and strings under __metadata__; then the numbers, lowest byte first,
// without a gap: https://github.com/huggingface/safetensors, "Format".

import { inputError } from '../emulator/errors.ts';
import { bytesAt, type OpenFile, withFile } from './file.ts';
import { checkRegions, isNumberType, NUMBER_BYTES, numbersOf, shown, type Tensor } from './tensor.ts';

const LENGTH_BYTES = 8;
/** The format's own limit. */
const MOST_HEADER_BYTES = 100_000_000;

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly offsets: readonly [number, number];
}

export function readSafetensors(path: string): Tensor[] {
  return withFile(path, (file) => {
    const length = Number(bytesAt(file, 0, LENGTH_BYTES, 'the length of the header').readBigUInt64LE());
    if (length > MOST_HEADER_BYTES || length < 2)
      throw inputError(`${path}: not a safetensors file, its header would have ${length} bytes`);
    const header = headerOf(file, length);
    const start = LENGTH_BYTES + length;
    const tensors = Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(([name, value]) => tensorOf(path, name, value, start));
    const regions = tensors.map(({ name, offset, until }) => ({ name, from: offset, until }));
    let end = start;
    for (const { name, from, until } of checkRegions(path, regions, start, file.bytes)) {
      if (from !== end)
        throw inputError(`${path}: nothing is said of bytes ${end} to ${from}, before tensor ${shown(name)}`);
      end = until;
    }
    if (end !== file.bytes)
      throw inputError(`${path}: nothing is said of bytes ${end} to ${file.bytes}, the end of the file`);
    return tensors.map(({ name, type, shape, offset }) => ({ name, type, shape, file: path, offset }));
  });
}

function headerOf(file: OpenFile, length: number): Readonly<Record<string, unknown>> {
  const text = bytesAt(file, LENGTH_BYTES, length, 'the header').toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw inputError(`${file.path}: not a safetensors file, its header is not JSON (${why.slice(0, 100)})`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw inputError(`${file.path}: not a safetensors file, its header is not a JSON object`);
  return { ...value };
}

function tensorOf(path: string, name: string, value: unknown, start: number): Tensor & { readonly until: number } {
  const { dtype: type, shape, offsets } = entryOf(path, name, value);
  const [from, until] = offsets;
  const bytes = isNumberType(type) ? numbersOf(shape) * NUMBER_BYTES[type] : until - from;
  if (until - from !== bytes)
    throw inputError(
      `${path}: tensor ${shown(name)} of ${type} [${shape.join(', ')}] has ${until - from} bytes, its shape asks for ${bytes}`,
    );
  return { name, type, shape, file: path, offset: start + from, until: start + until };
}

function entryOf(path: string, name: string, value: unknown): Entry {
  if (typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value && 'data_offsets' in value) {
    const { dtype, shape, data_offsets: offsets } = value;
    if (typeof dtype === 'string' && isSizes(shape) && isSizes(offsets) && offsets.length === 2)
      return { dtype, shape, offsets: [offsets[0], offsets[1]] };
  }
  throw inputError(`${path}: tensor ${shown(name)} has no dtype, shape and data_offsets of whole numbers`);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
