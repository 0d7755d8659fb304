// A graph placed on a wafer: the mapping, and for each operator where its output lies and what memory it takes. Verified:
// it is inside the fabric, holds all tokens, and no PE is fuller than its SRAM.

import { internalError } from '../../emulator/errors.ts';
import type { Machine } from '../../emulator/machine/spec.ts';
import { type Layout, localFeatures } from '../../kernels/spmm/layout.ts';
import type { Graph, GraphNode } from '../graph/graph.ts';
import { outputLayout } from '../mapping/layouts.ts';
import { type Mapping, tokenSlots } from '../mapping/mapping.ts';
import { memoryDuring } from '../mapping/memory.ts';

export interface PlacedNode {
  readonly node: GraphNode;
  readonly layout: Layout['kind'];
  /** Features of the output on the fullest PE. */
  readonly features: number;
  /** SRAM of the fullest PE while it runs. */
  readonly bytes: number;
}

export interface Placement {
  readonly graph: Graph;
  readonly machine: Machine;
  readonly mapping: Mapping;
  readonly nodes: readonly PlacedNode[];
}

export function placeGraph(graph: Graph, machine: Machine, mapping: Mapping): Placement {
  const nodes = graph.nodes.map((node) => placeNode(node, graph, machine, mapping));
  const placement = { graph, machine, mapping, nodes };
  verifyPlacement(placement);
  return placement;
}

function placeNode(node: GraphNode, graph: Graph, machine: Machine, mapping: Mapping): PlacedNode {
  const layout = outputLayout(node.operator, graph);
  const { bytes } = memoryDuring(node, graph, machine, mapping);
  return { node, layout: layout.kind, features: localFeatures(layout, mapping.columns), bytes };
}

function verifyPlacement({ graph, machine, mapping, nodes }: Placement): void {
  const { columns, groups, rows, passes } = mapping;
  const { width, height } = machine.fabric;
  if (columns * groups > width || rows > height) throw internalError(`placement of ${graph.name} leaves the fabric`);
  const tokens = graph.batch * graph.sequence;
  if (tokenSlots(mapping) * passes < tokens) throw internalError(`placement of ${graph.name} has too few token slots`);
  for (const { node, bytes } of nodes)
    if (bytes > machine.memory.sramBytes) throw internalError(`${node.id} takes ${bytes} bytes a PE`);
}

export function printPlacement({ graph, machine, mapping, nodes }: Placement): string {
  const lines = [`placement ${graph.name} fabric=${machine.fabric.width}x${machine.fabric.height}`];
  lines.push(`  mapping ${JSON.stringify(mapping)}`);
  for (const { node, layout, features, bytes } of nodes)
    lines.push(`  %${node.id} : ${layout} features=${features} bytes=${bytes}`);
  return `${lines.join('\n')}\n`;
}
