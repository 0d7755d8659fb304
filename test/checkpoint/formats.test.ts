// Files of each format, made by the format's own library (test/fixtures/checkpoints.ts), as tensors and as magnitudes.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { eachPiece, INFINITE } from '../../checkpoint/magnitudes.ts';
import { type Checkpoint, type CheckpointTensor, openCheckpoint } from '../../checkpoint/open.ts';
import type { Tensor } from '../../checkpoint/tensor.ts';
import { madeFile, MATRIX } from '../fixtures/checkpoints.ts';

const folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function tensorOf({ tensors }: Checkpoint, name: string): CheckpointTensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`no ${name} among ${[...tensors.keys()].join(', ')}`);
  return tensor;
}

/** Absolute values, as floats of 32 bits. */
function magnitudes(tensor: Tensor): number[] {
  const found: number[] = [];
  eachPiece(tensor, (bits, count, first) => {
    expect(first).toBe(found.length);
    found.push(...new Float32Array(bits.slice(0, count).buffer));
  });
  return found;
}

const expected = MATRIX.flat().map(Math.abs);
const rounded = (bits: number) => (value: number) => {
  const scale = 2 ** (bits - Math.ceil(Math.log2(value || 1)));
  return Math.round(value * scale) / scale;
};

describe('each format says the same of its tensors', () => {
  test('safetensors, of 32 and of 16 bits, and whole numbers', () => {
    const checkpoint = openCheckpoint(written('a.safetensors', madeFile('safetensors')));
    expect(checkpoint.format).toBe('safetensors');
    expect(tensorOf(checkpoint, 'a.weight')).toMatchObject({ type: 'F32', shape: [3, 4] });
    expect(magnitudes(tensorOf(checkpoint, 'a.weight'))).toEqual(expected);
    expect(tensorOf(checkpoint, 'b.half')).toMatchObject({ type: 'F16', shape: [3, 4] });
    expect(magnitudes(tensorOf(checkpoint, 'b.half'))).toEqual(expected);
    expect(tensorOf(checkpoint, 'c.bias')).toMatchObject({ type: 'I64', shape: [3] });
    expect(magnitudes(tensorOf(checkpoint, 'c.bias'))).toEqual([0, 1, 2]);
  });

  test('bfloat16', () => {
    const weight = tensorOf(openCheckpoint(written('b.safetensors', madeFile('safetensorsBf16'))), 'w');
    expect(weight.type).toBe('BF16');
    expect(magnitudes(weight)).toEqual(expected.map(rounded(8)));
  });

  test('GGUF, with its metadata', () => {
    const checkpoint = openCheckpoint(written('t.gguf', madeFile('gguf')));
    expect(checkpoint.metadata.get('general.architecture')).toBe('llama');
    expect(checkpoint.metadata.get('llama.block_count')).toBe(1);
    expect(checkpoint.metadata.get('llama.eps')).toBeCloseTo(1e-5, 10);
    expect(checkpoint.metadata.has('tokenizer.ggml.tokens')).toBe(false);
    expect(tensorOf(checkpoint, 'blk.0.ffn_up.weight')).toMatchObject({ type: 'F32', shape: [3, 4] });
    expect(magnitudes(tensorOf(checkpoint, 'blk.0.ffn_up.weight'))).toEqual(expected);
    expect(magnitudes(tensorOf(checkpoint, 'blk.0.attn_q.weight'))).toEqual(expected);
  });

  test('ONNX: weights of MatMul and Gemm, how they lie, and a name where the exporter has none', () => {
    const checkpoint = openCheckpoint(written('m.onnx', madeFile('onnx')));
    expect([...checkpoint.tensors.keys()]).toEqual(['layer.fc1.weight', 'fc2.weight']);
    const first = tensorOf(checkpoint, 'layer.fc1.weight');
    expect(first).toMatchObject({ type: 'F32', shape: [4, 3], isInOut: true });
    expect(magnitudes(first)).toEqual([0, 1, 2, 3].flatMap((k) => MATRIX.map((row) => Math.abs(row[k]))));
    const second = tensorOf(checkpoint, 'fc2.weight');
    expect(second).toMatchObject({ type: 'F16', shape: [3, 3], isInOut: false });
    expect(magnitudes(second)).toEqual(MATRIX.flatMap((row) => row.slice(0, 3)).map(Math.abs));
  });

  test('NumPy: one array, several, packed ones, and one that lies by columns', () => {
    expect(magnitudes(tensorOf(openCheckpoint(written('one.npy', madeFile('npy'))), 'one'))).toEqual(expected);
    const zeros = expected.map((value) => (value === 0 ? 0 : 1));
    const several = openCheckpoint(written('several.npz', madeFile('npz')));
    expect(magnitudes(tensorOf(several, 'mask'))).toEqual(zeros);
    expect(tensorOf(several, 'turned')).toMatchObject({ shape: [4, 3], isTurned: true });
    expect(magnitudes(tensorOf(several, 'turned'))).toEqual(
      [0, 1, 2, 3].flatMap((k) => MATRIX.map((row) => Math.abs(row[k]))),
    );
    const packed = openCheckpoint(written('packed.npz', madeFile('npzCompressed')));
    expect(magnitudes(tensorOf(packed, 'mask'))).toEqual(zeros);
  });

  test('NaN is above infinity, the smallest numbers above zero, zeros of both signs 0', () => {
    const header = '{"w":{"dtype":"F64","shape":[5],"data_offsets":[0,40]}}';
    const bytes = Buffer.alloc(8 + header.length + 40);
    bytes.writeBigUInt64LE(BigInt(header.length));
    bytes.write(header, 8);
    [Number.NaN, Infinity, 1e-300, -0, -2].forEach((value, i) => bytes.writeDoubleLE(value, 8 + header.length + 8 * i));
    const bits: number[] = [];
    eachPiece(tensorOf(openCheckpoint(written('odd.safetensors', bytes)), 'w'), (found) => bits.push(...found));
    expect(bits[0]).toBeGreaterThan(INFINITE);
    expect(bits[1]).toBe(INFINITE);
    expect(bits[2]).toBe(1);
    expect(bits[3]).toBe(0);
    expect(bits[4]).toBe(new Int32Array(new Float32Array([2]).buffer)[0]);
  });
});
