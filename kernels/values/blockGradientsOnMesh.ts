// One block of a GPT-2 with values on a mesh, forward with all that the backward pass needs kept, and back. The gradient by
// the block's output, in `dx`, becomes that by its input. Gradients by activations are matmuls with the transposed weights;
// those by parameters leave.

import type { AttentionCase } from '../attention/steps.ts';
import { elementwise, geluCode, residualCode } from '../elementwise.ts';
import { geluBackwardCode } from '../elementwiseBackward.ts';
import { layerNorm } from '../layerNorm.ts';
import { layerNormBackward } from '../layerNormBackward.ts';
import { local, type LocalShape } from '../local.ts';
import { type Block, LAYER_NORM_EPSILON, type Parameters } from '../reference/gpt.ts';
import type { HeadsLayout, Layout } from '../spmm/layout.ts';
import { type AttentionBackwardAt, attentionBackwardOnMesh } from './attentionBackwardOnMesh.ts';
import { attentionOnMesh } from './attentionOnMesh.ts';
import { affineOnMesh, linearOnMesh } from './linearOnMesh.ts';
import type { MeshRun } from './meshRun.ts';
import { sumsOnMesh } from './sumsOnMesh.ts';
import { type WeightGradientOnMesh, weightGradientOnMesh } from './weightGradientOnMesh.ts';

/** A normalisation: its input, what it keeps (normalised values, means and reciprocal deviations), its output. */
export interface NormAt {
  readonly input: number;
  readonly normalised: number;
  readonly stats: number;
  readonly output: number;
}

/**
 * First words of: the block's input `x` and `middle` after attention; what the norms keep; `scaled`, the input of a matmul, and
 * `branch`, its output; the MLP before its activation, after it, and the gradient there; the gradients `dx` of the residual
 * stream and `dbranch` by a branch's input; room for sums, and for what a gradient by weights lets arrive and sums up.
 */
export type BlockAt = AttentionBackwardAt &
  Record<'x' | 'middle' | 'norm1' | 'stats1' | 'norm2' | 'stats2' | 'scaled' | 'branch', number> &
  Record<'fc' | 'act' | 'dfc' | 'dx' | 'dbranch' | 'accumulators' | 'featureSums', number> &
  Record<'arrived' | 'weightSums', number>;

/** How gradients by weights are taken. */
export type GradientRoom = Pick<WeightGradientOnMesh, 'buffers' | 'features' | 'accumulate' | 'room'>;

export interface BlockOnMesh {
  readonly mesh: MeshRun;
  readonly attention: AttentionCase;
  readonly accumulators: number;
  readonly embedded: Layout;
  readonly hidden: Layout;
  readonly gradientRoom: GradientRoom;
  readonly at: BlockAt;
}

type ParameterGradients = Parameters;

/** As `Block`, with the gradients in it. */
export type BlockGradients = Block;

function onAll(
  { mesh, attention, embedded }: Pick<BlockOnMesh, 'mesh' | 'attention' | 'embedded'>,
  op: 'residual' | 'gelu' | 'geluBackward',
  layout: Layout = embedded,
): LocalShape {
  const { machine, rows, cols } = mesh;
  const features = Math.ceil(featuresOf(layout) / cols);
  return elementwise(op, { rows, cols, features, tokens: attention.tokens }, machine);
}

function featuresOf(layout: Layout): number {
  return layout.kind === 'strided' ? layout.features : layout.heads * layout.headDim;
}

/** Words of an activation of the residual stream on a PE. */
function vectorOf({ mesh, attention }: BlockOnMesh, layout: Layout): number {
  return Math.ceil(featuresOf(layout) / mesh.cols) * attention.tokens;
}

/** output = input + other. */
export function addOnMesh(block: BlockOnMesh, name: string, input: number, other: number, output: number): void {
  const { mesh, embedded } = block;
  const shape = onAll(block, 'residual');
  const code = residualCode({ input, output, count: vectorOf(block, embedded) }, other);
  mesh.run(name, (memory) => local.program(shape, mesh.machine, { ...memory, code }));
}

function normShape({ mesh, attention }: BlockOnMesh, width: number) {
  const { rows, cols } = mesh;
  return {
    rows,
    cols,
    width,
    features: Math.ceil(width / cols),
    tokens: attention.tokens,
    kind: 'layernorm',
  } as const;
}

export function keptNorm(block: BlockOnMesh, name: string, { weight, bias }: Parameters, at: NormAt): void {
  const { mesh, attention, embedded } = block;
  const { machine } = mesh;
  const shape = { kernel: 'layerNorm', ...normShape(block, weight.length) } as const;
  const places = { input: at.input, output: at.normalised, stats: at.stats };
  mesh.run(name, (memory) => layerNorm.program(shape, machine, { ...memory, at: places, epsilon: LAYER_NORM_EPSILON }));
  const { tokens } = attention;
  const out = { input: at.normalised, output: at.output };
  affineOnMesh(mesh, `${name}.affine`, { layout: embedded, scale: weight, shift: bias, tokens, at: out });
}

/** The gradient in `dbranch`, by the output, becomes that by the input. */
export function normBackwardOnMesh(
  block: BlockOnMesh,
  name: string,
  { weight }: Parameters,
  at: Pick<NormAt, 'normalised' | 'stats'>,
): ParameterGradients {
  const { mesh, attention, embedded } = block;
  const { tokens } = attention;
  const gradient = block.at.dbranch;
  const sums = { gradient, normalised: at.normalised, sums: block.at.featureSums };
  const gradients = sumsOnMesh(mesh, name, 'gainAndBias', embedded, tokens, sums);
  const inPlace = { input: gradient, output: gradient };
  const shift = new Float32Array(weight.length);
  affineOnMesh(mesh, `${name}.gain`, { layout: embedded, scale: weight, shift, tokens, at: inPlace });
  const shape = { kernel: 'layerNormBackward', ...normShape(block, weight.length) } as const;
  const places = {
    gradient,
    normalised: at.normalised,
    output: gradient,
    deviations: at.stats + tokens,
    stats: block.at.featureSums,
  };
  mesh.run(`${name}.gradient`, (memory) => layerNormBackward.program(shape, mesh.machine, { ...memory, at: places }));
  return gradients;
}

/** What a matmul of the forward pass read, and what its way back takes and leaves. */
interface Matmul {
  /** [out][in]. */
  readonly weight: Float32Array;
  readonly input: Layout;
  readonly output: Layout;
  /** First words of the input, the gradient by the output and that by the input. */
  readonly at: { readonly input: number; readonly gradient: number; readonly output: number };
}

/** The gradient by the weights leaves, and then that by the input is taken. */
export function matmulBackward(block: BlockOnMesh, name: string, matmul: Matmul): Float32Array {
  const { mesh, attention, accumulators, gradientRoom, at: own } = block;
  const { weight, input, output, at } = matmul;
  const { tokens } = attention;
  const gradient = weightGradientOnMesh(mesh, `${name}.gradient`, {
    ...gradientRoom,
    weight,
    input,
    output,
    tokens,
    at: { input: at.input, gradient: at.gradient, arrived: own.arrived, sums: own.weightSums },
  });
  linearOnMesh(mesh, `${name}.transposed`, {
    weight,
    transposed: true,
    bias: null,
    tokens,
    accumulators,
    input: output,
    output: input,
    at: { input: at.gradient, output: at.output, sums: own.accumulators },
  });
  return gradient;
}

function byHead({ attention }: BlockOnMesh, parts: number): HeadsLayout {
  const { heads, headDim } = attention;
  return { kind: 'heads', heads, headDim, pairs: false, parts: Array.from({ length: parts }, () => heads) };
}

/** The next block's input, at `output`. */
export function blockForward(block: BlockOnMesh, name: string, parameters: Block, output: number): void {
  const { mesh, attention, embedded, hidden, at, accumulators } = block;
  const { ln_1, attn, ln_2, mlp } = parameters;
  const common = { tokens: attention.tokens, accumulators };
  const linear = (
    step: string,
    weights: Parameters,
    [input, from]: readonly [Layout, number],
    [layout, to]: readonly [Layout, number],
  ): void =>
    linearOnMesh(mesh, `${name}.${step}`, {
      ...weights,
      ...common,
      input,
      output: layout,
      at: { input: from, output: to, sums: at.accumulators },
    });
  keptNorm(block, `${name}.ln_1`, ln_1, { input: at.x, normalised: at.norm1, stats: at.stats1, output: at.scaled });
  linear('attn.c_attn', attn.c_attn, [embedded, at.scaled], [byHead(block, 3), at.queries]);
  attentionOnMesh(mesh, `${name}.attn`, attention, at);
  linear('attn.c_proj', attn.c_proj, [byHead(block, 1), at.output], [embedded, at.branch]);
  addOnMesh(block, `${name}.attn.residual`, at.x, at.branch, at.middle);
  keptNorm(block, `${name}.ln_2`, ln_2, {
    input: at.middle,
    normalised: at.norm2,
    stats: at.stats2,
    output: at.scaled,
  });
  linear('mlp.c_fc', mlp.c_fc, [embedded, at.scaled], [hidden, at.fc]);
  const gelu = geluCode({ input: at.fc, output: at.act, count: vectorOf(block, hidden) });
  mesh.run(`${name}.mlp.gelu`, (memory) =>
    local.program(onAll(block, 'gelu', hidden), mesh.machine, { ...memory, code: gelu }),
  );
  linear('mlp.c_proj', mlp.c_proj, [hidden, at.act], [embedded, at.branch]);
  addOnMesh(block, `${name}.mlp.residual`, at.middle, at.branch, output);
}

/** After blockForward with the same input. */
export function blockBackward(block: BlockOnMesh, name: string, parameters: Block): BlockGradients {
  const { mesh, attention, embedded, hidden, at } = block;
  const { ln_1, attn, ln_2, mlp } = parameters;
  const { tokens } = attention;
  const linear = (
    step: string,
    { weight }: Parameters,
    [input, read, output]: readonly [Layout, number, number],
    [layout, gradient]: readonly [Layout, number],
  ): ParameterGradients => {
    const sums = { gradient, normalised: gradient, sums: at.featureSums };
    const gradients = sumsOnMesh(mesh, `${name}.${step}.bias`, 'bias', layout, tokens, sums);
    const matmul = { weight, input, output: layout, at: { input: read, gradient, output } };
    return { weight: matmulBackward(block, `${name}.${step}`, matmul), bias: gradients.bias };
  };
  const toStream = (step: string): void => addOnMesh(block, `${name}.${step}`, at.dx, at.dbranch, at.dx);

  const mlpProj = linear('mlp.c_proj', mlp.c_proj, [hidden, at.act, at.dfc], [embedded, at.dx]);
  const operands = { input: at.fc, gradient: at.dfc, output: at.dfc, count: vectorOf(block, hidden) };
  const code = geluBackwardCode(operands);
  const gelu = onAll(block, 'geluBackward', hidden);
  mesh.run(`${name}.mlp.gelu.gradient`, (memory) => local.program(gelu, mesh.machine, { ...memory, code }));
  const fc = linear('mlp.c_fc', mlp.c_fc, [embedded, at.scaled, at.dbranch], [hidden, at.dfc]);
  const ln2 = normBackwardOnMesh(block, `${name}.ln_2`, ln_2, { normalised: at.norm2, stats: at.stats2 });
  toStream('mlp.residual.gradient');
  const attnProj = linear('attn.c_proj', attn.c_proj, [byHead(block, 1), at.output, at.byOutput], [embedded, at.dx]);
  const dqkv = attentionBackwardOnMesh(mesh, `${name}.attn.gradient`, attention, at);
  // The output of ln_2 lies where that of ln_1 was.
  const normalised = { input: at.norm1, output: at.scaled };
  const again = { layout: embedded, scale: ln_1.weight, shift: ln_1.bias, tokens, at: normalised };
  affineOnMesh(mesh, `${name}.ln_1.affine.again`, again);
  const qkv = linear('attn.c_attn', attn.c_attn, [embedded, at.scaled, at.dbranch], [byHead(block, 3), dqkv]);
  const ln1 = normBackwardOnMesh(block, `${name}.ln_1`, ln_1, { normalised: at.norm1, stats: at.stats1 });
  toStream('attn.residual.gradient');
  return { ln_1: ln1, attn: { c_attn: qkv, c_proj: attnProj }, ln_2: ln2, mlp: { c_fc: fc, c_proj: mlpProj } };
}
