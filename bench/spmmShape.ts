// The sparse matmuls that the benches time: a random mask, lying strided on `cols` columns of a WSE-2.

import { machinePresets } from '../emulator/machine/presets/index.ts';
import { edgeWaveletsPerCycle, latenciesOf } from '../emulator/machine/spec.ts';
import type { SpmmShape } from '../emulator/streamed/shape.ts';
import { countCells } from '../kernels/spmm/counts.ts';
import type { PlacedWeights } from '../kernels/spmm/placed.ts';

export interface Matmul {
  /** Output and input features. */
  readonly out: number;
  readonly in: number;
  readonly sparsity: number;
  readonly rows: number;
  readonly cols: number;
  readonly tokens: number;
  readonly accumulators: number;
}

export function placedWeights(matmul: Matmul): PlacedWeights {
  const { out, sparsity, in: width } = matmul;
  return {
    mask: { name: 'bench', seed: 1, sparsity, rows: out, width },
    input: { kind: 'strided', features: width },
    output: { kind: 'strided', features: out },
  };
}

export function shapeOf(matmul: Matmul, nnz = countCells(placedWeights(matmul), matmul.cols)): SpmmShape {
  const { machine } = machinePresets.wse2;
  const { rows, cols, tokens, accumulators, out, sparsity } = matmul;
  const perCycle = edgeWaveletsPerCycle(machine) * (sparsity === 0 ? 2 : 1);
  return {
    rows,
    cols,
    features: out,
    tokens,
    nnz,
    accumulators,
    gap: cols > perCycle ? [cols, perCycle] : [1, 1],
    axpyOverhead: machine.core.axpyOverhead,
    controlSlots: machine.core.controlSlots,
    simd: machine.core.simdFp16,
    psumPerWavelet: 2,
    latencies: latenciesOf(machine),
  };
}
