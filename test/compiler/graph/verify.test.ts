// The verifier accepts what the builder makes and finds what a faulty pass would leave.

import { describe, expect, test } from 'vitest';
import type { Graph, GraphNode } from '../../../compiler/graph/graph.ts';
import { verifyGraph } from '../../../compiler/graph/verify.ts';
import { EmulateError } from '../../../emulator/errors.ts';
import { gptJLike, gptLike, graphOf, llamaLike } from '../../run/tiny.ts';

const graph = graphOf({ ...gptLike, layers: 2 }, 2, 16);

/** The graph with one node changed. */
function planted(id: string, change: (node: GraphNode) => GraphNode): Graph {
  expect(graph.nodes.some((node) => node.id === id)).toBe(true);
  return { ...graph, nodes: graph.nodes.map((node) => (node.id === id ? change(node) : node)) };
}

function finding(faulty: Graph): string {
  try {
    verifyGraph(faulty);
  } catch (error) {
    if (!(error instanceof EmulateError) || error.code !== 1) throw error;
    return error.message;
  }
  return 'nothing';
}

test.each([
  ['GPT', gptLike],
  ['LLaMA', llamaLike],
  ['GPT-J', gptJLike],
  ['matmul', { kind: 'matmul', in: 30, out: 41 }],
])('what the builder makes of %s is sound', (_name, file) => {
  expect(finding(graphOf(file, 2, 16))).toBe('nothing');
});

describe('a planted defect is found', () => {
  test('an input that is nowhere', () => {
    const faulty = planted('h.1.mlp.c_fc', (node) => ({ ...node, inputs: ['h.1.ln_3'] }));
    expect(finding(faulty)).toBe(
      'internal: graph tiny, node h.1.mlp.c_fc: reads h.1.ln_3, which does not come before it',
    );
  });

  test('an input that comes later', () => {
    const faulty = planted('h.0.ln_1', (node) => ({ ...node, inputs: ['h.0.ln_2'] }));
    expect(finding(faulty)).toContain('node h.0.ln_1: reads h.0.ln_2, which does not come before it');
    const itself = planted('h.0.ln_1', (node) => ({ ...node, inputs: ['h.0.ln_1'] }));
    expect(finding(itself)).toContain('reads h.0.ln_1, which does not come before it');
  });

  test('a node that is there twice', () => {
    const faulty = { ...graph, nodes: graph.nodes.flatMap((node) => (node.id === 'ln_f' ? [node, node] : [node])) };
    expect(finding(faulty)).toBe('internal: graph tiny, node ln_f: is there twice');
  });

  test('an input too few, and one too many', () => {
    const few = planted('h.0.mlp.residual', (node) => ({ ...node, inputs: node.inputs.slice(1) }));
    expect(finding(few)).toContain('node h.0.mlp.residual: has 1 inputs, residual takes 2');
    const many = planted('ln_f', (node) => ({ ...node, inputs: [...node.inputs, 'wte'] }));
    expect(finding(many)).toContain('node ln_f: has 2 inputs, norm takes 1');
  });

  test.each<[string, GraphNode['operator'], string]>([
    ['lm_head', { kind: 'lmHead', width: 25, vocabulary: 50 }, 'expects 25 features of ln_f, which has 24'],
    [
      'h.0.mlp.gelu',
      { kind: 'activation', activation: 'swiglu', features: 40 },
      'expects 80 features of h.0.mlp.c_fc, which has 40',
    ],
    [
      'h.1.attn.scores',
      { kind: 'scores', heads: 4, kvHeads: 2, headDim: 6 },
      'expects 48 features of h.1.attn.position, which has 72',
    ],
    ['h.1.ln_2', { kind: 'norm', norm: 'rmsnorm', width: 40, bias: false }, 'expects 40 features of h.1.attn.residual'],
  ])('a width that does not fit: %s', (id, operator, found) => {
    expect(finding(planted(id, (node) => ({ ...node, operator })))).toContain(found);
  });

  test('a width that changes on the way out', () => {
    const faulty = planted('h.0.attn.c_proj', (node) => {
      if (node.operator.kind !== 'linear') throw new Error('not linear');
      return { ...node, operator: { ...node.operator, out: 23 } };
    });
    expect(finding(faulty)).toContain('node h.0.attn.residual: expects 24 features of h.0.attn.c_proj, which has 23');
  });
});
