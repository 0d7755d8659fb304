// A training step of a GPT-2 with values on a mesh, up to the gradients by all parameters: kernel by kernel in the stepped
// engine. Only the input of each block is kept from the forward pass; a block runs forward again before it runs back. The
// loss is the sum over the tokens of `weight` times theirs. A weight that is zero gets no gradient.

import type { Machine } from '../../emulator/machine/spec.ts';
import { highHalf, lowHalf } from '../../emulator/numerics/fp16.ts';
import { columnOf } from '../../emulator/program/ring.ts';
import { type AttentionCase, rowsPerSequence } from '../attention/steps.ts';
import { columnReduce } from '../columnReduce.ts';
import { streamGap } from '../edge.ts';
import { logitGradient, TARGET_WEIGHT, TARGET_WORDS, targetPlace } from '../logitGradient.ts';
import { logitScale } from '../logitScale.ts';
import type { Gpt, Parameters } from '../reference/gpt.ts';
import { localFeatures } from '../spmm/layout.ts';
import type { Accumulate } from '../weightGradient/shape.ts';
import { attentionBackwardWords } from './attentionBackwardOnMesh.ts';
import {
  addOnMesh,
  blockBackward,
  blockForward,
  type BlockGradients,
  type BlockOnMesh,
  keptNorm,
  matmulBackward,
  normBackwardOnMesh,
} from './blockGradientsOnMesh.ts';
import { embeddingOnMesh } from './embeddingOnMesh.ts';
import { linearOnMesh } from './linearOnMesh.ts';
import { type LmHeadAt, lmHeadOnMesh } from './lmHeadOnMesh.ts';
import { layWords, MeshRun, type MeshStep } from './meshRun.ts';

export interface GradientsMapping {
  readonly cols: number;
  readonly tokens: number;
  readonly accumulators: number;
  readonly keyBlock: number;
  readonly slice: number;
  /** Of gradients by weights: what a PE has room for, output features of a chunk, and what sums are kept in. */
  readonly gradientBuffers: number;
  readonly gradientFeatures: number;
  readonly accumulate: Accumulate;
}

export interface GptGradientsOnMesh {
  /** By sequence: by the embedding of each token, [T][n_embd]. */
  readonly embeddings: Float32Array[];
  readonly h: readonly BlockGradients[];
  readonly ln_f: Parameters;
  readonly lm_head: Float32Array;
  readonly steps: readonly MeshStep[];
}

/** Targets [sequence][token] follow idx. */
export function gptGradientsOnMesh(
  gpt: Gpt,
  idx: readonly (readonly number[])[],
  targets: readonly (readonly number[])[],
  weight: number,
  mapping: GradientsMapping,
  machine: Machine,
): GptGradientsOnMesh {
  const run = startRun(gpt, idx, mapping, machine);
  const { block, inputs, R } = run;
  const { mesh, at } = block;
  const { wte, wpe } = gpt;
  const width = gpt.config.n_embd;
  const { tokens, slice } = mapping;
  embeddingOnMesh(mesh, { wte, wpe, width, idx, rowsPerSequence: R, tokens, output: inputs[0] });
  gpt.h.forEach((parameters, l) =>
    blockForward({ ...block, at: { ...at, x: inputs[l] } }, `h.${l}`, parameters, inputs[l + 1]),
  );
  const last = { input: inputs[gpt.h.length], normalised: at.norm1, stats: at.stats1, output: at.scaled };
  keptNorm(block, 'ln_f', gpt.ln_f, last);

  const { accumulators } = block;
  const placeOf = (s: number, t: number) => ({ y: s * R + (t % R), token: Math.floor(t / R) });
  const head = { weight: gpt.lm_head, width, tokens, accumulators, slice };
  const headAt = { ...run.headAt, sums: at.accumulators, input: at.scaled };
  lmHeadOnMesh(mesh, { ...head, at: headAt }, { sequences: idx.length, length: idx[0].length, placeOf });
  layTargets(run, targets, weight, mapping);
  const lm_head = lossBackward(run, gpt.lm_head, mapping);

  const ln_f = normBackwardOnMesh(block, 'ln_f', gpt.ln_f, last);
  clear(mesh, at.dx, run.vector);
  addOnMesh(block, 'ln_f.residual.gradient', at.dx, at.dbranch, at.dx);
  const h: BlockGradients[] = [];
  for (let l = gpt.h.length - 1; l >= 0; l--) {
    const own = { ...block, at: { ...at, x: inputs[l] } };
    blockForward(own, `h.${l}`, gpt.h[l], at.branch);
    h.unshift(blockBackward(own, `h.${l}`, gpt.h[l]));
  }
  return { embeddings: embeddingsOut(run, idx, width), h, ln_f, lm_head, steps: mesh.steps };
}

interface Run {
  readonly block: BlockOnMesh;
  /** First words of the input of each block, and of the last one's output. */
  readonly inputs: readonly number[];
  readonly headAt: Omit<LmHeadAt, 'sums'>;
  readonly targets: number;
  readonly inverse: number;
  /** Words of an activation of the residual stream. */
  readonly vector: number;
  readonly R: number;
}

function startRun(gpt: Gpt, idx: readonly (readonly number[])[], mapping: GradientsMapping, machine: Machine): Run {
  const { cols, tokens, keyBlock, accumulators, slice, gradientBuffers, gradientFeatures, accumulate } = mapping;
  const { n_head: heads, n_embd } = gpt.config;
  const sequence = idx[0].length;
  const attention: AttentionCase = {
    heads,
    headDim: n_embd / heads,
    cols,
    tokens,
    sequence,
    keyBlock,
    causal: true,
    accumulate: 'fp16',
  };
  const hidden = gpt.h[0].mlp.c_fc.bias.length;
  const vector = Math.ceil(n_embd / cols) * tokens;
  const wide = Math.ceil(hidden / cols) * tokens;
  const embedded = { kind: 'strided', features: n_embd } as const;
  const byHead = { kind: 'heads', heads, headDim: n_embd / heads, pairs: false, parts: [heads] } as const;
  // Without a zero, in the fullest column, of the widest input.
  const room = 2 + gradientFeatures * Math.max(Math.ceil(hidden / cols), localFeatures(byHead, cols));
  const { at, words } = layWords({
    ...attentionBackwardWords(attention),
    x: vector * (gpt.h.length + 1),
    middle: vector,
    norm1: vector,
    stats1: 2 * tokens,
    norm2: vector,
    stats2: 2 * tokens,
    scaled: vector,
    branch: vector,
    fc: wide,
    act: wide,
    dfc: wide,
    dx: vector,
    dbranch: vector,
    accumulators: accumulators * tokens,
    arrived: gradientBuffers * tokens,
    weightSums: room,
    featureSums: 2 * Math.max(wide, 3 * vector, tokens),
    logits: Math.ceil(slice / cols) * tokens,
    logitMaximum: tokens,
    logitIndex: tokens,
    logitSum: tokens,
    row: tokens,
    rowIndex: tokens,
    targets: TARGET_WORDS * tokens,
    inverse: tokens,
  });
  const R = rowsPerSequence(attention);
  const mesh = new MeshRun(machine, idx.length * R, cols, words);
  return {
    block: {
      mesh,
      attention,
      accumulators,
      embedded,
      at,
      hidden: { kind: 'strided', features: hidden },
      gradientRoom: { buffers: gradientBuffers, features: gradientFeatures, accumulate, room },
    },
    inputs: Array.from({ length: gpt.h.length + 1 }, (_, l) => at.x + l * vector),
    headAt: at,
    targets: at.targets,
    inverse: at.inverse,
    vector,
    R,
  };
}

/** Targets and weights in all columns, as the kernels of lossStart bring them; padding has neither. */
function layTargets(
  { block, targets: at, R }: Run,
  targets: readonly (readonly number[])[],
  weight: number,
  { tokens, slice }: GradientsMapping,
): void {
  const { mesh } = block;
  const { rows, cols, words } = mesh;
  for (let pe = 0; pe < rows * cols; pe++) {
    const y = Math.floor(pe / cols);
    for (let token = 0; token < tokens; token++) {
      const target = targets[Math.floor(y / R)].at((y % R) + token * R);
      const numbers = target === undefined ? [-1, -1, -1, 0] : [...targetPlace(target, slice, cols), weight];
      numbers.forEach((value, word) => {
        mesh.memory[pe * words + at + word * tokens + token] = value;
      });
    }
  }
}

/** The gradient by the LM head, and in `dbranch` that by its input: slice by slice, each slice's logits taken again. */
function lossBackward(
  { block, headAt, targets, inverse, vector }: Run,
  head: Float32Array,
  { cols, tokens, slice }: GradientsMapping,
): Float32Array {
  const { mesh, embedded, accumulators, at } = block;
  const { machine, rows } = mesh;
  const scale = { kernel: 'logitScale', rows, cols, tokens } as const;
  const scaleAt = { sum: headAt.logitSum, weight: targets + TARGET_WEIGHT * tokens, inverse };
  mesh.run('lm_head.scale', (memory) => logitScale.program(scale, machine, { ...memory, at: scaleAt }));
  const width = block.attention.heads * block.attention.headDim;
  const vocabulary = head.length / width;
  const gradient = new Float32Array(head.length);
  clear(mesh, at.dbranch, vector);
  for (let first = 0; first < vocabulary; first += slice) {
    const count = Math.min(slice, vocabulary - first);
    const weight = head.subarray(first * width, (first + count) * width);
    const logits = { kind: 'strided', features: count } as const;
    linearOnMesh(mesh, 'lm_head.again', {
      weight,
      bias: null,
      tokens,
      accumulators,
      input: embedded,
      output: logits,
      at: { input: at.scaled, output: headAt.logits, sums: at.accumulators },
    });
    const shape = { kernel: 'logitGradient', rows, cols, features: Math.ceil(count / cols), tokens } as const;
    const values = { at: { logits: headAt.logits, row: headAt.row, inverse, targets }, slice: first / slice, count };
    mesh.run('lm_head.gradient', (memory) => logitGradient.program(shape, machine, { ...memory, ...values }));
    const places = { input: at.scaled, gradient: headAt.logits, output: at.branch };
    const matmul = { weight, input: embedded, output: logits, at: places };
    gradient.set(matmulBackward(block, 'lm_head', matmul), first * width);
    addOnMesh(block, 'lm_head.add', at.dbranch, at.branch, at.dbranch);
  }
  return gradient;
}

function clear({ memory, words }: MeshRun, at: number, count: number): void {
  for (let base = 0; base < memory.length; base += words) memory.fill(0, base + at, base + at + count);
}

function embeddingsOut({ block, R }: Run, idx: readonly (readonly number[])[], width: number): Float32Array[] {
  const { mesh, at, attention } = block;
  const { machine, rows, cols } = mesh;
  const { tokens } = attention;
  const features = Math.ceil(width / cols);
  const perToken = Math.ceil(features / 2);
  const wavelets = rows * tokens * perToken;
  const leaving = Array.from({ length: cols }, () => new Int32Array(wavelets));
  const shape = { kernel: 'columnReduce', rows, cols, wavelets, gap: streamGap(machine, cols) } as const;
  const order = { by: 'tokens', features, tokens } as const;
  mesh.run('wte.gradient', (memory) => columnReduce.program(shape, machine, { ...memory, at: at.dx, order, leaving }));
  return idx.map((sequence, s) =>
    Float32Array.from({ length: sequence.length * width }, (_, i) => {
      const [t, k] = [Math.floor(i / width), i % width];
      const local = Math.floor(k / cols);
      const token = (s * R + (t % R)) * tokens + Math.floor(t / R);
      const wavelet = leaving[columnOf(k % cols, cols)][token * perToken + (local >> 1)];
      return local % 2 === 0 ? lowHalf(wavelet) : highHalf(wavelet);
    }),
  );
}
