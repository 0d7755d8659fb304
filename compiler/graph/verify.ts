// The verifier of graphs: names are unique, inputs come before their users, and widths agree along every edge. What it
// finds is a defect of a builder or a pass, never of the user's file.

import { internalError } from '../../emulator/errors.ts';
import { type Graph, type GraphNode, type Operator, outputFeatures } from './graph.ts';

/** Features that an operator expects of each input. */
function inputFeatures(operator: Operator): readonly number[] {
  switch (operator.kind) {
    case 'embedding':
      return [];
    case 'norm':
      return [operator.width];
    case 'linear':
      return operator.weight === 'matmul' ? [] : [operator.in];
    case 'position':
      return [outputFeatures(operator)];
    case 'scores':
      return [(operator.heads + 2 * operator.kvHeads) * operator.headDim];
    case 'softmax':
      return [operator.heads * operator.headDim];
    case 'values':
      return [operator.heads * operator.headDim, (operator.heads + 2 * operator.kvHeads) * operator.headDim];
    case 'activation':
      return [operator.activation === 'swiglu' ? 2 * operator.features : operator.features];
    case 'residual':
      return [operator.width, operator.width];
    case 'lmHead':
      return [operator.width];
  }
}

export function verifyGraph(graph: Graph): void {
  const seen = new Map<string, GraphNode>();
  const fail = (id: string, what: string): Error => internalError(`graph ${graph.name}, node ${id}: ${what}`);
  for (const node of graph.nodes) {
    const { id, inputs, operator } = node;
    if (seen.has(id)) throw fail(id, 'is there twice');
    const expected = inputFeatures(operator);
    if (expected.length !== inputs.length)
      throw fail(id, `has ${inputs.length} inputs, ${operator.kind} takes ${expected.length}`);
    inputs.forEach((input, i) => {
      const source = seen.get(input);
      if (source === undefined) throw fail(id, `reads ${input}, which does not come before it`);
      const features = outputFeatures(source.operator);
      if (features !== expected[i])
        throw fail(id, `expects ${expected[i]} features of ${input}, which has ${features}`);
    });
    seen.set(id, node);
  }
}
