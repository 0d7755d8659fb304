// The stable text form of a graph: one line a node, in order.

import { type Graph, type GraphNode, outputFeatures } from './graph.ts';

export function printGraph(graph: Graph): string {
  const head = `graph ${graph.name} batch=${graph.batch} sequence=${graph.sequence}`;
  return [head, ...graph.nodes.map(printNode)].join('\n') + '\n';
}

function printNode({ id, inputs, operator }: GraphNode): string {
  const fields = Object.entries(operator)
    .filter(([key]) => key !== 'kind')
    .map(([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`);
  return `  %${id} : ${outputFeatures(operator)} = ${operator.kind}(${inputs.map((i) => `%${i}`).join(', ')}) ${fields.join(' ')}`;
}
