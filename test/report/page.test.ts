// What the page draws beforehand: points under their roofs, curves through the numbers of the report, and nothing left out.

import { describe, expect, test } from 'vitest';
import { contentOfModel, type PageContent } from '../../report/html/content.ts';
import { mapData } from '../../report/html/mapData.ts';
import { element, ticks } from '../../report/html/markup.ts';
import { page } from '../../report/html/page.ts';
import { placesOf } from '../../report/html/places.ts';
import { buildReport, type Report } from '../../report/report.ts';
import { gptFile, matmulFile, resultOf } from './ran.ts';

const trainFile = { ...gptFile, workload: { ...gptFile.workload, kind: 'train' } };

async function pageOf(file: Readonly<Record<string, unknown>>): Promise<{ report: Report; content: PageContent }> {
  const result = await resultOf(file);
  const report = buildReport(result);
  return { report, content: contentOfModel(report, result) };
}

describe.each([
  ['a GPT', gptFile],
  ['a training step', trainFile],
  ['a matmul', matmulFile],
  ['a matmul without weights', { ...matmulFile, sparsity: 1 }],
])('%s', (_, file) => {
  test('no operator is above the roofs, of cores or of the edge', async () => {
    const { content } = await pageOf(file);
    const { machine, mapping, edgeWordsPerCycle } = content;
    const used = mapping.groups * mapping.columns * mapping.rows;
    expect(used).toBeLessThanOrEqual(machine.fabric.width * machine.fabric.height);
    for (const { name, cycles, edgeWords, where } of placesOf(content)) {
      expect(where.compute / cycles, name).toBeLessThanOrEqual(used);
      expect(edgeWords / cycles, name).toBeLessThanOrEqual(edgeWordsPerCycle);
    }
    expect(content.map.some(({ edgeWords }) => edgeWords > 0)).toBe(true);
  });

  test('the curve goes through what the report says, from dense on', async () => {
    const { report, content } = await pageOf(file);
    const curve = content.compared?.curve ?? [];
    const own = curve.find(({ sparsity }) => sparsity === report.model.sparsity.value);
    expect(own?.cycles).toBe(report.wafer.cycles);
    expect(own?.overDenseWafer).toBeCloseTo(report.speedup.overDenseWaferSameMapping, 10);
    expect(own?.overGpu).toBeCloseTo(report.speedup.overGpu, 10);
    expect(own?.ideal).toEqual(report.speedup.ideal);
    expect(curve[0]).toMatchObject({ sparsity: 0, overDenseWafer: 1, ideal: 1 });
    expect(curve.map(({ sparsity }) => sparsity)).toEqual(
      curve.map(({ sparsity }) => sparsity).toSorted((a, b) => a - b),
    );
    // A GPU has its dense kernels to fall back on; of a training step nothing is claimed.
    for (const { gpuOverItself } of curve)
      if (file === trainFile) expect(gpuOverItself).toBeNull();
      else expect(gpuOverItself).toBeGreaterThanOrEqual(1 - 1e-12);
  });

  test('has every operator, and no number that is none', async () => {
    const { content } = await pageOf(file);
    const html = page(content);
    for (const { name } of content.operators) expect(html).toContain(`>${name}</th>`);
    expect(html.replaceAll(/<script[^]*?<\/script>/g, '')).not.toMatch(/NaN|Infinity|undefined|null/);
  });
});

test('layers with the same counts share them', async () => {
  const { content } = await pageOf({ ...gptFile, sparsity: 0 });
  const { operators, lengths } = mapData(content.map);
  expect(operators.length).toBe(content.operators.length);
  const profiles = (layer: number): unknown[] =>
    operators.filter(({ name }) => name.startsWith(`h.${layer}.`)).map(({ columns, rows }) => [columns, rows]);
  expect(profiles(1)).toEqual(profiles(0));
  expect(lengths.length).toBeLessThan(operators.length);
});

test('text in attributes is escaped; ticks are round', () => {
  expect(element('i', { title: 'a "b" <c> & d', x: 1 / 3 })).toBe(
    '<i title="a &quot;b&quot; &lt;c&gt; &amp; d" x="0.33"></i>',
  );
  expect(ticks(3.8, 6)).toEqual([0, 1, 2, 3]);
  expect(ticks(0.95, 6)).toEqual([0, 0.2, 0.4, 0.6000000000000001, 0.8]);
});
