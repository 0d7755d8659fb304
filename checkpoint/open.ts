// A checkpoint by its path: a folder of safetensors (with an index of shards, or without), or one file. What comes out is the
// same for all formats: tensors by name, and what the format says beside them.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { inputError } from '../emulator/errors.ts';
import { type Metadata, readGguf } from './gguf.ts';
import { readNpy } from './npy.ts';
import { bytesAt, withFile } from './file.ts';
import { readNpz } from './npz.ts';
import { readOnnx } from './onnx.ts';
import { readSafetensors } from './safetensors.ts';
import { shown, type Tensor } from './tensor.ts';

export type CheckpointFormat = 'safetensors' | 'gguf' | 'onnx' | 'numpy';

export interface CheckpointTensor extends Tensor {
  /** A matrix is stored [in][out]; where nothing is known of that, undefined. */
  readonly isInOut?: boolean;
}

export interface Checkpoint {
  readonly path: string;
  readonly format: CheckpointFormat;
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  /** Of a GGUF file. */
  readonly metadata: Metadata;
}

const NOTHING: Metadata = new Map();

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

export function openCheckpoint(path: string): Checkpoint {
  if (isFolder(path)) return made(path, 'safetensors', folderTensors(path));
  const suffix = /\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  switch (suffix) {
    case 'safetensors':
      return made(path, 'safetensors', readSafetensors(path));
    case 'gguf': {
      const { metadata, tensors } = readGguf(path);
      return { ...made(path, 'gguf', tensors), metadata };
    }
    case 'onnx':
      return made(path, 'onnx', readOnnx(path));
    case 'npz':
      return made(path, 'numpy', readNpz(path));
    case 'npy':
      return made(path, 'numpy', [readNpyFile(path)]);
    default:
      throw inputError(
        `${path}: not a checkpoint, allowed a folder with .safetensors files, or a .safetensors, .gguf, .onnx, .npz or .npy file`,
      );
  }
}

function readNpyFile(path: string): Tensor {
  return withFile(path, (file) =>
    readNpy(basename(path, '.npy'), path, 0, file.bytes, (offset, length) =>
      bytesAt(file, offset, length, 'the array'),
    ),
  );
}

function made(path: string, format: CheckpointFormat, tensors: readonly CheckpointTensor[]): Checkpoint {
  const byName = new Map<string, CheckpointTensor>();
  for (const tensor of tensors) {
    const twin = byName.get(tensor.name);
    if (twin !== undefined)
      throw inputError(
        `${path}: tensor ${shown(tensor.name)} is there twice, in ${basename(twin.file)} and ${basename(tensor.file)}`,
      );
    byName.set(tensor.name, tensor);
  }
  return { path, format, tensors: byName, metadata: NOTHING };
}

/** Files with weights in a folder, apart from any index. */
export function weightFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.safetensors'))
    .toSorted((a, b) => (a < b ? -1 : 1));
}

function folderTensors(folder: string): Tensor[] {
  const names = readdirSync(folder);
  const index = names.find((name) => name === 'model.safetensors.index.json');
  if (index !== undefined) return shardTensors(folder, join(folder, index));
  const files = names.includes('model.safetensors') ? ['model.safetensors'] : weightFiles(folder);
  if (files.length === 0) {
    const others = names.some((name) => /\.(bin|pth?|ckpt)$/.test(name));
    throw inputError(
      `${folder}: no .safetensors files${others ? '; pickled weights (.bin, .pt) are not read, convert them' : ''}`,
    );
  }
  return files.flatMap((name) => readSafetensors(join(folder, name)));
}

/** Every tensor where the index says, and nothing else. */
function shardTensors(folder: string, index: string): Tensor[] {
  const byFile = new Map<string, Set<string>>();
  for (const [name, file] of Object.entries(weightMap(index))) {
    if (typeof file !== 'string' || file !== basename(file))
      throw inputError(`${index}: tensor ${shown(name)} is in ${shown(String(file))}, allowed a file of this folder`);
    byFile.set(file, (byFile.get(file) ?? new Set()).add(name));
  }
  return [...byFile].flatMap(([file, names]) => {
    const tensors = readSafetensors(join(folder, file)).filter(({ name }) => names.has(name));
    const there = new Set(tensors.map(({ name }) => name));
    for (const name of names)
      if (!there.has(name)) throw inputError(`${index}: tensor ${shown(name)} is not in ${file}, where it should be`);
    return tensors;
  });
}

function weightMap(index: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(index, 'utf8'));
  } catch (error) {
    throw inputError(`${index}: not JSON that can be read (${error instanceof Error ? error.message : String(error)})`);
  }
  const map = typeof value === 'object' && value !== null && 'weight_map' in value ? value.weight_map : undefined;
  if (typeof map !== 'object' || map === null)
    throw inputError(`${index}: no weight_map, allowed {"weight_map": {...}}`);
  return { ...map };
}
