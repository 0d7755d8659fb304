// Shapes of the kernels of the backward pass, small and at random.

import * as fc from 'fast-check';
import type { AttentionCase } from '../../kernels/attention/steps.ts';
import type { KernelShape } from '../../kernels/index.ts';

const size = fc.integer({ min: 1, max: 9 });
const gap = fc.constantFrom<readonly [number, number]>([1, 1], [7, 5], [35, 4]);

export const backwardShapes: fc.Arbitrary<KernelShape> = fc.oneof(
  fc.record({
    kernel: fc.constant('layerNormBackward' as const),
    rows: size,
    cols: size,
    width: fc.constant(9),
    features: fc.constant(9),
    tokens: size,
    kind: fc.constantFrom('layernorm' as const, 'rmsnorm' as const),
  }),
  fc.record({
    kernel: fc.constant('columnReduce' as const),
    rows: size,
    cols: fc.integer({ min: 1, max: 3 }),
    wavelets: fc.integer({ min: 1, max: 40 }),
    gap,
  }),
  fc.record({ kernel: fc.constant('logitScale' as const), rows: size, cols: size, tokens: size }),
  fc.record({ kernel: fc.constant('logitGradient' as const), rows: size, cols: size, features: size, tokens: size }),
);

export const attentionCases: fc.Arbitrary<AttentionCase> = fc
  .record({ heads: size, headDim: size, cols: size, tokens: size, rows: size, keyBlock: size, causal: fc.boolean() })
  .map(({ rows, ...rest }) => ({ ...rest, sequence: rows * rest.tokens, accumulate: 'fp16' }));
