// Placement to program: the last pass of the compiler.

import { internalError } from '../../emulator/errors.ts';
import { memoryUse } from '../mapping/memory.ts';
import type { Placement } from './placement.ts';
import { type Program, PROGRAM_FORMAT } from './program.ts';
import { stepsOf } from './steps.ts';
import { backwardOperators } from './backward.ts';

export function lower({ graph, machine, mapping }: Placement): Program {
  const context = { graph, machine, mapping };
  const forward = graph.nodes.map((node) => ({
    name: node.id,
    kind: node.operator.kind,
    steps: stepsOf(node, context),
  }));
  const operators = [...forward, ...backwardOperators(context)];
  for (const { name, steps } of operators)
    if (steps.length === 0) throw internalError(`${name} has no kernel; nothing is priced at zero`);
  return {
    format: PROGRAM_FORMAT,
    name: graph.name,
    machine,
    mapping,
    tokens: graph.batch * graph.sequence,
    operators,
    memory: memoryUse(graph, machine, mapping),
  };
}
