// What a run leaves out, and which way it errs where that is known. A reader who distrusts simulators reads this first.

import type { ModelSpec } from '../compiler/model/spec.ts';

export function notModelled({ kind, machine, workload }: ModelSpec): string[] {
  const { kernelStart } = machine.machine.core;
  const { bankConflict } = machine.machine.memory;
  return [
    `overlap of kernels: all PEs meet between any two, which costs kernelStart (${kernelStart} cycles); that the barrier's own signal has to cross the wafer is not counted`,
    'loop control and address set-up of local vector instructions: only their slots count',
    bankConflict === 1
      ? 'SRAM banks: operands are taken to lie without conflicts, unless the machine file sets bankConflict'
      : `SRAM banks one by one: every vector instruction takes bankConflict (${bankConflict}) times its slots`,
    'the host and MemoryX: weights, tables and tokens are ready at the edge whenever a wavelet may enter',
    ...(kind === 'gpt'
      ? ['logits leaving the wafer: of each token the largest logit, its index and the sum of exponentials are kept']
      : ['activations: they lie on the wafer before the run and stay there after it']),
    ...(workload.kind === 'train'
      ? [
          'the optimiser: it works outside, where the gradients of groups and micro-batches are added up too; the new weights are ready when the next step asks for them',
          'the value of the loss, scaling it for fp16: gradients are those of the sum over the tokens',
        ]
      : []),
    'power, temperature and clock limits; defective and spare PEs',
    'the GPU: whether the batch fits its memory, launches of an eager framework, a step around the kernels (see kappa)',
  ];
}
