// The forward pass of a GPT-2 with values on a mesh, kernel by kernel in the stepped engine: weights stream in, the
// activations stay in the PEs. Letters: C columns, T tokens a PE, R rows of a sequence, F = ceil(n_embd / C).
//
// Memory of a PE, in 32-bit words, each holding one value: x [F][T] the residual stream; normed [F][T]; what attention
// needs; branch [F][T] what a projection adds to the residual; hidden [F'][T] of the MLP; logits of one slice of the
// vocabulary with their statistics; sums, the accumulators of the sparse matmul.

import { type Accumulators, accumulatorsOf } from '../spmm/accumulators.ts';
import type { Machine } from '../../emulator/machine/spec.ts';
import { type AttentionCase, rowsPerSequence } from '../attention/steps.ts';
import { elementwise, geluCode, residualCode } from '../elementwise.ts';
import { layerNorm } from '../layerNorm.ts';
import { local } from '../local.ts';
import { type Block, type Gpt, LAYER_NORM_EPSILON, type Parameters } from '../reference/gpt.ts';
import type { HeadsLayout, Layout } from '../spmm/layout.ts';
import { type AttentionAt, attentionOnMesh, attentionWords } from './attentionOnMesh.ts';
import { embeddingOnMesh } from './embeddingOnMesh.ts';
import { affineOnMesh, linearOnMesh } from './linearOnMesh.ts';
import { type LmHeadAt, type LogitStatistics, lmHeadOnMesh } from './lmHeadOnMesh.ts';
import { layWords, MeshRun, type MeshStep } from './meshRun.ts';

export interface GptMapping {
  readonly cols: number;
  /** T, tokens a PE. */
  readonly tokens: number;
  readonly accumulators: Accumulators;
  /** Keys of a tile of attention. */
  readonly keyBlock: number;
  /** Vocabulary of a slice of the LM head. */
  readonly slice: number;
}

export interface GptOnMesh {
  /** By sequence: [T][vocab_size]. */
  readonly logits: Float32Array[];
  /** By sequence and token. */
  readonly statistics: LogitStatistics[][];
  readonly steps: readonly MeshStep[];
}

type At = AttentionAt & LmHeadAt & Record<'x' | 'normed' | 'stats' | 'branch' | 'hidden', number>;

/** What every operator of one run shares. */
interface Run {
  readonly mesh: MeshRun;
  readonly at: At;
  readonly attention: AttentionCase;
  readonly accumulators: Accumulators;
  readonly embedded: Layout;
  readonly hidden: Layout;
}

/** Logits of the sequences idx, all of one length; the mesh has R rows for each. */
export function gptOnMesh(
  gpt: Gpt,
  idx: readonly (readonly number[])[],
  mapping: GptMapping,
  machine: Machine,
): GptOnMesh {
  const { tokens } = mapping;
  const run = startRun(gpt, idx, mapping, machine);
  const { mesh, at, attention } = run;
  const R = rowsPerSequence(attention);
  const { wte, wpe } = gpt;
  const width = gpt.config.n_embd;
  embeddingOnMesh(mesh, { wte, wpe, width, idx, rowsPerSequence: R, tokens, output: at.x });
  gpt.h.forEach((block, l) => {
    attentionBranch(run, `h.${l}`, block);
    mlpBranch(run, `h.${l}`, block);
  });
  normOnMesh(run, 'ln_f', gpt.ln_f);
  const { accumulators, slice } = mapping;
  const placeOf = (s: number, t: number) => ({ y: s * R + (t % R), token: Math.floor(t / R) });
  const ofHead = accumulatorsOf(accumulators, 'lmHead');
  const head = { weight: gpt.lm_head, width, tokens, accumulators: ofHead, slice, at: { ...at, input: at.normed } };
  const extent = { sequences: idx.length, length: attention.sequence, placeOf };
  return { ...lmHeadOnMesh(mesh, head, extent), steps: mesh.steps };
}

function startRun(gpt: Gpt, idx: readonly (readonly number[])[], mapping: GptMapping, machine: Machine): Run {
  const { cols, tokens, keyBlock, accumulators, slice } = mapping;
  const { n_head: heads, n_embd } = gpt.config;
  const attention: AttentionCase = {
    heads,
    headDim: n_embd / heads,
    cols,
    tokens,
    sequence: idx[0].length,
    keyBlock,
    causal: true,
    accumulate: 'fp16',
  };
  const hidden = gpt.h[0].mlp.c_fc.bias.length;
  const vector = Math.ceil(n_embd / cols) * tokens;
  const { at, words } = layWords({
    ...attentionWords(attention),
    x: vector,
    normed: vector,
    stats: 2 * tokens,
    branch: vector,
    hidden: Math.ceil(hidden / cols) * tokens,
    sums: mostAccumulators(accumulators) * tokens,
    logits: Math.ceil(slice / cols) * tokens,
    logitMaximum: tokens,
    logitIndex: tokens,
    logitSum: tokens,
    row: tokens,
    rowIndex: tokens,
  });
  return {
    mesh: new MeshRun(machine, idx.length * rowsPerSequence(attention), cols, words),
    at,
    attention,
    accumulators,
    embedded: { kind: 'strided', features: n_embd },
    hidden: { kind: 'strided', features: hidden },
  };
}

function mostAccumulators(accumulators: Accumulators): number {
  return typeof accumulators === 'number' ? accumulators : Math.max(...Object.values(accumulators));
}

/** normed = LayerNorm(x). */
function normOnMesh({ mesh, at, attention, embedded }: Run, name: string, { weight, bias }: Parameters): void {
  const { machine, rows, cols } = mesh;
  const { tokens } = attention;
  const width = weight.length;
  const shape = {
    kernel: 'layerNorm',
    rows,
    cols,
    width,
    features: Math.ceil(width / cols),
    tokens,
    kind: 'layernorm',
  } as const;
  const places = { input: at.x, output: at.normed, stats: at.stats };
  mesh.run(name, (memory) => layerNorm.program(shape, machine, { ...memory, at: places, epsilon: LAYER_NORM_EPSILON }));
  const inPlace = { input: at.normed, output: at.normed };
  affineOnMesh(mesh, `${name}.affine`, { layout: embedded, scale: weight, shift: bias, tokens, at: inPlace });
}

/** x += c_proj(attention(c_attn(LayerNorm(x)))). */
function attentionBranch(run: Run, name: string, { ln_1, attn }: Block): void {
  const { mesh, at, attention, accumulators, embedded } = run;
  const { heads, headDim, tokens } = attention;
  normOnMesh(run, `${name}.ln_1`, ln_1);
  const byHead = (parts: number): HeadsLayout => ({
    kind: 'heads',
    heads,
    headDim,
    pairs: false,
    parts: Array.from({ length: parts }, () => heads),
  });
  linearOnMesh(mesh, `${name}.attn.c_attn`, {
    ...attn.c_attn,
    tokens,
    accumulators: accumulatorsOf(accumulators, 'qkv'),
    input: embedded,
    output: byHead(3),
    at: { input: at.normed, output: at.queries, sums: at.sums },
  });
  attentionOnMesh(mesh, `${name}.attn`, attention, at);
  linearOnMesh(mesh, `${name}.attn.c_proj`, {
    ...attn.c_proj,
    tokens,
    accumulators: accumulatorsOf(accumulators, 'attentionOut'),
    input: byHead(1),
    output: embedded,
    at: { input: at.output, output: at.branch, sums: at.sums },
  });
  residual(run, `${name}.attn.residual`);
}

/** x += c_proj(gelu(c_fc(LayerNorm(x)))). */
function mlpBranch(run: Run, name: string, { ln_2, mlp }: Block): void {
  const { mesh, at, attention, accumulators, embedded, hidden } = run;
  const { machine, rows, cols } = mesh;
  const { tokens } = attention;
  normOnMesh(run, `${name}.ln_2`, ln_2);
  linearOnMesh(mesh, `${name}.mlp.c_fc`, {
    ...mlp.c_fc,
    tokens,
    accumulators: accumulatorsOf(accumulators, 'mlpIn'),
    input: embedded,
    output: hidden,
    at: { input: at.normed, output: at.hidden, sums: at.sums },
  });
  const features = Math.ceil(mlp.c_fc.bias.length / cols);
  const shape = elementwise('gelu', { rows, cols, features, tokens }, machine);
  const code = geluCode({ input: at.hidden, output: at.hidden, count: features * tokens });
  mesh.run(`${name}.mlp.gelu`, (memory) => local.program(shape, machine, { ...memory, code }));
  linearOnMesh(mesh, `${name}.mlp.c_proj`, {
    ...mlp.c_proj,
    tokens,
    accumulators: accumulatorsOf(accumulators, 'mlpOut'),
    input: hidden,
    output: embedded,
    at: { input: at.hidden, output: at.branch, sums: at.sums },
  });
  residual(run, `${name}.mlp.residual`);
}

/** x += branch. */
function residual({ mesh, at, attention }: Run, name: string): void {
  const { machine, rows, cols } = mesh;
  const { tokens, heads, headDim } = attention;
  const features = Math.ceil((heads * headDim) / cols);
  const shape = elementwise('residual', { rows, cols, features, tokens }, machine);
  const code = residualCode({ input: at.x, output: at.x, count: features * tokens }, at.branch);
  mesh.run(name, (memory) => local.program(shape, machine, { ...memory, code }));
}
