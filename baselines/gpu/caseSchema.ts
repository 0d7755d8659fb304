// One kernel to be timed, as a spec file asks for it, under our own names; what others call these fields is in
// spellings.ts. m: tokens, n: out features, k: in features.

import { z } from 'zod';
import { OPERATORS, type OperatorName } from './elementwise.ts';
import { GPUS, PCIE_BOARDS, type GpuName, type PcieBoardName } from './presets.ts';

const LONGEST_SHOWN = 48;

/** A value as messages print it. */
function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text;
}

/** What was got, what is allowed. */
const allowing = (allowed: string) => ({
  error: ({ input }: { input?: unknown }) =>
    `${input === undefined ? 'missing' : `got ${show(input)}`}, allowed ${allowed}`,
});

const count = () => z.int(allowing('a whole number of at least 1')).min(1, allowing('a whole number of at least 1'));
const seconds = () => z.number(allowing('seconds, 0 or more')).min(0, allowing('seconds, 0 or more'));
const flag = () => z.boolean(allowing('true or false'));

function names<Name extends string>(values: readonly Name[], also = '') {
  return z.enum(values, allowing(values.map((name) => `"${name}"`).join(', ') + also));
}

function keysOf<Name extends string>(table: Readonly<Record<Name, unknown>>): Name[] {
  return Object.keys(table).filter((key): key is Name => Object.hasOwn(table, key));
}

const OTHER_NAMES = ', and their usual other names';
const gpu = () => names<GpuName>(keysOf(GPUS), OTHER_NAMES);
const gpuOrBoard = () => names<GpuName | PcieBoardName>([...keysOf(GPUS), ...keysOf(PCIE_BOARDS)], OTHER_NAMES);
const elementBytes = () => z.literal([1, 2, 4], allowing('1, 2 or 4 bytes an element')).default(2);

/** An object of these fields and no others. */
function fields<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: ({ code, keys }: { code?: string; keys?: string[] }) =>
      code === 'unrecognized_keys' && keys !== undefined
        ? keys.map((key) => `unknown field ${show(key)}, allowed ${Object.keys(shape).join(', ')}`).join('\n')
        : undefined,
  });
}

const gemm = fields({
  op: z.literal('gemm'),
  gpu: gpu(),
  m: count(),
  n: count(),
  k: count(),
  batch: count().default(1),
  bytes: elementBytes(),
  sparse24: flag().default(false),
  /** For how long the GPU has been running such work; steady if left out. */
  runSeconds: seconds().optional(),
  /** Kernels back to back on a cool GPU, as benchmarks run them; instead of runSeconds. */
  repeats: count().optional(),
}).refine(({ runSeconds, repeats }) => runSeconds === undefined || repeats === undefined, {
  path: ['repeats'],
  error: 'given together with runSeconds, allowed one of the two',
});

const attention = fields({
  op: z.literal('attention'),
  gpu: gpu(),
  batch: count().default(1),
  sequence: count(),
  heads: count(),
  kvHeads: count().optional(),
  headDim: count(),
  causal: flag().default(true),
  pass: names(['forward', 'backward', 'decode', 'unfused']).default('forward'),
  bytes: elementBytes(),
}).refine(({ heads, kvHeads = heads }) => heads % kvHeads === 0, {
  path: ['kvHeads'],
  error: ({ input }) => {
    const { heads, kvHeads } = z.object({ heads: z.number(), kvHeads: z.number() }).parse(input);
    return `got ${kvHeads}, allowed a divisor of the ${heads} query heads`;
  },
});

const elementwise = fields({
  op: z.literal('elementwise'),
  gpu: gpuOrBoard(),
  /** `stream`, `norm`, or an operator. */
  kind: names<OperatorName>(keysOf(OPERATORS)).default('stream'),
  /** Bytes moved, each operand counted once; or the rows and columns of the output. */
  bytes: z.number(allowing('bytes moved, above 0')).positive(allowing('bytes moved, above 0')).optional(),
  rows: count().optional(),
  columns: count().optional(),
  elementBytes: elementBytes(),
}).refine(({ bytes, rows, columns }) => bytes !== undefined || (rows !== undefined && columns !== undefined), {
  path: ['bytes'],
  error: 'missing, allowed bytes moved, above 0; or rows and columns of the output instead',
});

const shareOfZeros = 'a share of zeros, 0 to 1';
const spmm = fields({
  op: z.literal('spmm'),
  gpu: gpu(),
  m: count(),
  n: count(),
  k: count(),
  sparsity: z.number(allowing(shareOfZeros)).min(0, allowing(shareOfZeros)).max(1, allowing(shareOfZeros)),
  /** `lscd` is Flash-LLM; `best` the fastest of dense, lscd and sputnik. */
  method: names(['best', 'lscd', 'sputnik']).default('best'),
});

export const caseSchema = z.discriminatedUnion('op', [gemm, attention, elementwise, spmm], {
  error: ({ input }) => {
    if (typeof input !== 'object' || input === null) return `got ${show(input)}, allowed an object with "op" and "gpu"`;
    const got = 'op' in input ? `got ${show(input.op)}` : 'missing';
    return `${got}, allowed "gemm", "attention", "elementwise", "spmm"`;
  },
});

export type Case = z.output<typeof caseSchema>;
export type GemmCase = z.output<typeof gemm>;
export type AttentionCase = z.output<typeof attention>;
export type ElementwiseCase = z.output<typeof elementwise>;
export type SpmmCase = z.output<typeof spmm>;
