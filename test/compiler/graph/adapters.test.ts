// Adapters in a graph: where they stand, what reads them, and that the whole runs as any other graph does.

import { describe, expect, test } from 'vitest';
import { isAdapter, withAdapters } from '../../../compiler/graph/adapters.ts';
import { lower } from '../../../compiler/lower/lower.ts';
import { placeGraph } from '../../../compiler/lower/placement.ts';
import { sparseWeights } from '../../../compiler/model/spec.ts';
import { chooseMapping } from '../../../run/mapper.ts';
import { runProgram } from '../../../run/program.ts';
import { inProcessTimer } from '../../../run/timer.ts';
import { anyMapping, gptJLike, gptLike, graphOf, llamaLike, waferOf } from '../../run/tiny.ts';

const plain = graphOf(gptLike, 1, 16);

test('what read the matrix reads the sum', () => {
  const { nodes } = withAdapters(plain, { rank: 2, targets: ['qkv'] });
  const added = nodes.filter(({ id }) => id.includes('.lora'));
  expect(added.map(({ id, inputs }) => [id, ...inputs])).toEqual([
    ['h.0.attn.c_attn.lora_A', 'h.0.ln_1'],
    ['h.0.attn.c_attn.lora_B', 'h.0.attn.c_attn.lora_A'],
    ['h.0.attn.c_attn.lora', 'h.0.attn.c_attn', 'h.0.attn.c_attn.lora_B'],
  ]);
  expect(nodes.find(({ id }) => id === 'h.0.attn.position')?.inputs).toEqual(['h.0.attn.c_attn.lora']);
  expect(nodes.filter((node) => !node.id.includes('.lora')).map(({ id }) => id)).toEqual(
    plain.nodes.map(({ id }) => id),
  );
});

test('adapters stay dense beside a sparse matrix', () => {
  const { nodes } = withAdapters(plain, { rank: 2, targets: sparseWeights });
  const small = nodes.filter(isAdapter);
  expect(small).toHaveLength(8);
  for (const { operator } of small) expect(operator).toMatchObject({ kind: 'linear', sparsity: 0, bias: false });
});

describe.each([
  ['GPT', gptLike],
  ['LLaMA', llamaLike],
  ['GPT-J', gptJLike],
])('%s', (_name, model) => {
  test('runs on the wafer with adapters everywhere, and they cost something', async () => {
    const graph = graphOf(model, 2, 10);
    const machine = waferOf(12, 12);
    const timer = inProcessTimer();
    const adapted = withAdapters(graph, { rank: 3, targets: sparseWeights });
    const mapping = await chooseMapping(adapted, machine, { ...anyMapping, columns: 12 }, timer);
    const [with_, without] = [
      await runProgram(lower(placeGraph(adapted, machine, mapping)), { timer }),
      await runProgram(lower(placeGraph(graph, machine, mapping)), { timer }),
    ];
    const small = with_.operators.filter(({ name }) => name.includes('.lora'));
    expect(small).toHaveLength(12);
    for (const { cycles } of small) expect(cycles).toBeGreaterThan(0);
    const sum = small.reduce((cycles, each) => cycles + each.cycles * mapping.passes, 0);
    expect(with_.cycles - without.cycles).toBe(sum);
  });
});
