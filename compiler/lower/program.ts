// A program: for each operator the kernels of one pass, in order, with all that decides their time, and the machine they
// run on. A kernel's shape is the smallest rectangle that shows all there is to see; `copies` says how the wafer is
// covered by it. The text form is stable.

import type { Machine } from '../../emulator/machine/spec.ts';
import type { KernelShape, SpmmCase } from '../../kernels/index.ts';
import type { PlacedWeights } from '../../kernels/spmm/placed.ts';
import type { OperatorKind } from '../graph/graph.ts';
import type { Gap } from '../../kernels/edge.ts';
import type { Mapping } from '../mapping/mapping.ts';
import type { MemoryUse } from '../mapping/memoryUse.ts';

/** A sparse matmul whose mask is still a rule; its cells are counted when it runs. */
export interface MatmulStep {
  readonly kernel: 'spmm';
  readonly weights: PlacedWeights;
  readonly cols: number;
  readonly tokens: number;
  readonly accumulators: number;
  readonly gap: Gap;
  readonly accumulate: 'fp16' | 'fp32';
  /** Non-zeros lie where the mask has them; or, in a twin only (run/twins.ts), spread evenly over the ring. */
  readonly zeros?: 'balanced';
}

/** The gradient of a matrix by its weights: products, and sums over the rows that leave, chunk by chunk of output features. */
export interface WeightGradientStep {
  readonly kernel: 'weightGradient';
  /** As they lie for the forward matmul: input features where it reads them, output features where it leaves them. */
  readonly weights: PlacedWeights;
  readonly cols: number;
  readonly rows: number;
  readonly tokens: number;
  /** Gradients of output features that a PE has room for. */
  readonly buffers: number;
  /** Sums that a PE has room for, and output features of a chunk. */
  readonly sums: number;
  readonly features: number;
  /** Of indices that come in, and of sums that leave. */
  readonly gap: Gap;
  readonly outGap: Gap;
  readonly accumulate: 'fp16' | 'fp32';
  readonly zeros?: 'balanced';
}

/** Kernels that run as they are. */
export type MeshShape = Exclude<KernelShape, SpmmCase>;

export type StepShape = MeshShape | MatmulStep | WeightGradientStep;

export interface ProgramStep {
  readonly shape: StepShape;
  /** Times it runs in a pass. */
  readonly repeat: number;
  /** Rectangles of this shape on the wafer at work side by side; where rows are folded, of one row each. */
  readonly copies: number;
}

export interface ProgramOperator {
  readonly name: string;
  readonly kind: OperatorKind;
  readonly steps: readonly ProgramStep[];
}

export const PROGRAM_FORMAT = 'wafer-emulator program 1';

export interface Program {
  readonly format: typeof PROGRAM_FORMAT;
  readonly name: string;
  readonly machine: Machine;
  readonly mapping: Mapping;
  /** Tokens of the workload, all passes together. */
  readonly tokens: number;
  readonly operators: readonly ProgramOperator[];
  readonly memory: MemoryUse;
}

export function printProgram({ name, machine, mapping, tokens, operators, memory }: Program): string {
  const lines = [`program ${name} machine=${machine.name} tokens=${tokens}`, `  mapping ${JSON.stringify(mapping)}`];
  lines.push(`  memory ${memory.bytes} of ${memory.sramBytes} bytes during ${memory.operator}`);
  for (const operator of operators) {
    lines.push(`  ${operator.name}: ${operator.kind}`);
    for (const { shape, repeat, copies } of operator.steps)
      lines.push(`    ${repeat} x on ${copies} rectangles ${JSON.stringify(shape)}`);
  }
  return `${lines.join('\n')}\n`;
}
