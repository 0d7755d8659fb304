// From C, T and K to a mapping: rows, groups and passes by hand, sizes as large as SRAM allows, and what is said when
// nothing fits.

import { describe, expect, test } from 'vitest';
import type { Graph } from '../../../compiler/graph/graph.ts';
import { type Choice, fitMapping, isMisfit, misfitError, type Misfit } from '../../../compiler/mapping/fit.ts';
import { type Mapping, tokenSlots } from '../../../compiler/mapping/mapping.ts';
import { memoryUse } from '../../../compiler/mapping/memory.ts';
import type { MappingRequest } from '../../../compiler/model/spec.ts';
import type { Machine } from '../../../emulator/machine/spec.ts';
import { anyMapping, gptLike, graphOf, waferOf } from '../../run/tiny.ts';

const fabric = waferOf(13, 12);

function withSram(machine: Machine, sramBytes: number): Machine {
  return { ...machine, memory: { ...machine.memory, sramBytes } };
}

function fitted(graph: Graph, machine: Machine, choice: Choice, request: Partial<MappingRequest> = {}): Mapping {
  const fit = fitMapping(graph, machine, { ...anyMapping, ...request }, choice);
  if (isMisfit(fit)) throw misfitError(graph.name, choice, fit);
  return fit;
}

function misfitOf(graph: Graph, machine: Machine, choice: Choice, request: Partial<MappingRequest> = {}): Misfit {
  const fit = fitMapping(graph, machine, { ...anyMapping, ...request }, choice);
  if (!isMisfit(fit)) throw new Error('it fits');
  return fit;
}

const choice = { columns: 6, tokensPerPe: 5, accumulators: 3 };

describe('rows and passes', () => {
  test('sequences lie on whole rows, spread over groups first', () => {
    // 13 tokens, 5 a PE: 3 rows a sequence, 4 sequences a group of 12 rows, 2 groups.
    expect(fitted(graphOf(gptLike, 5, 13), fabric, choice)).toMatchObject({
      groups: 2,
      rowsPerSequence: 3,
      rows: 9,
      passes: 1,
    });
    expect(fitted(graphOf(gptLike, 1, 13), fabric, choice)).toMatchObject({ rows: 3, passes: 1 });
  });

  test('a batch too large for one pass is cut in equal passes', () => {
    // 9 sequences at most 8 a pass: 5 and 4.
    expect(fitted(graphOf(gptLike, 9, 13), fabric, choice)).toMatchObject({ passes: 2, rows: 9 });
    expect(fitted(graphOf(gptLike, 9, 13), fabric, choice, { rows: 7 })).toMatchObject({ passes: 3, rows: 6 });
  });

  test('tokens of a matmul need not keep together', () => {
    const graph = graphOf({ kind: 'matmul', in: 30, out: 41 }, 9, 13);
    // 117 tokens, 5 a PE: 24 PEs of a column in 2 groups.
    expect(fitted(graph, fabric, choice)).toMatchObject({ rowsPerSequence: 1, rows: 12, passes: 1, logitSlice: 6 });
  });

  test('all tokens have a slot', () => {
    for (let batch = 1; batch < 40; batch++) {
      const mapping = fitted(graphOf(gptLike, batch, 13), fabric, choice);
      expect(tokenSlots(mapping) * mapping.passes).toBeGreaterThanOrEqual(batch * 13);
      expect(mapping.rows).toBeLessThanOrEqual(12);
      // A pass fewer would need more rows than there are.
      expect((mapping.passes - 1) * 8).toBeLessThan(batch);
    }
  });
});

describe('the tile of scores and the slice of logits', () => {
  const graph = graphOf({ ...gptLike, vocabulary: 500 }, 4, 24);
  const choice = { columns: 6, tokensPerPe: 12, accumulators: 3 };
  const bytesOf = (mapping: Mapping): number => memoryUse(graph, fabric, mapping).bytes;
  const free = fitted(graph, fabric, choice);
  const least = bytesOf({ ...free, keyBlock: 1, logitSlice: 6 });

  test('are whole where there is room', () => {
    expect(free).toMatchObject({ keyBlock: 12, logitSlice: 6 * 84 });
  });

  test('are halved until they fit, and no further', () => {
    const seen = new Set<string>();
    for (let sramBytes = least; sramBytes <= bytesOf(free); sramBytes += 8) {
      const mapping = fitted(graph, withSram(fabric, sramBytes), choice);
      const { keyBlock, logitSlice } = mapping;
      seen.add(`${keyBlock} ${logitSlice}`);
      expect(bytesOf(mapping)).toBeLessThanOrEqual(sramBytes);
      const larger = { 1: 2, 2: 3, 3: 6, 6: 12 }[keyBlock];
      if (larger !== undefined)
        expect(bytesOf({ ...mapping, keyBlock: larger, logitSlice: 6 })).toBeGreaterThan(sramBytes);
      const slices = [84, 42, 21, 11, 6, 3, 2, 1];
      const next = slices[slices.indexOf(logitSlice / 6) - 1];
      if (next !== undefined) expect(bytesOf({ ...mapping, logitSlice: 6 * next })).toBeGreaterThan(sramBytes);
    }
    expect(seen.size).toBeGreaterThan(3);
  });

  test('below the smallest there is no mapping', () => {
    expect(fitted(graph, withSram(fabric, least), choice)).toMatchObject({ keyBlock: 1 });
    expect(misfitOf(graph, withSram(fabric, least - 1), choice)).toMatchObject({ demand: least, limit: least - 1 });
  });
});

describe('what does not fit is said as an inequality, with what would help', () => {
  const graph = graphOf(gptLike, 4, 64);

  test('more columns than the fabric has', () => {
    expect(misfitOf(graph, fabric, { ...choice, columns: 14 })).toEqual({
      field: 'columns',
      what: 'columns of a group',
      demand: 14,
      limit: 13,
      unit: 'PEs',
      levers: ['fewer columns'],
    });
  });

  test('more rows than the fabric has', () => {
    expect(misfitOf(graph, fabric, choice, { rows: 13 })).toMatchObject({ what: 'rows', demand: 13, limit: 12 });
  });

  test('a sequence longer than the rows', () => {
    expect(misfitOf(graph, fabric, choice)).toMatchObject({ demand: 13, limit: 12, unit: 'rows' });
    expect(fitted(graph, fabric, { ...choice, tokensPerPe: 6 })).toMatchObject({ rowsPerSequence: 11 });
  });

  test('SRAM: exit code 3, the bytes item by item', () => {
    const choice = { columns: 1, tokensPerPe: 64, accumulators: 3 };
    const misfit = misfitOf(graph, withSram(fabric, 16_384), choice);
    const error = misfitError('tiny', choice, misfit);
    expect(error.code).toBe(3);
    expect(error.message).toBe(
      [
        'tiny does not fit with C = 1 columns, T = 64 tokens a PE, K = 3 accumulators: ' +
          'SRAM of the fullest PE during h.0.attn.position is 22016 bytes, the limit 16384 (5632 too many); ' +
          'what would help: more columns a group, fewer tokens a PE, fewer accumulators',
        '  code and queues: 4096 bytes',
        '  residual stream: 3072 bytes',
        '  queries: 3072 bytes',
        '  keys and values, one block here and one arriving: 6144 bytes',
        '  tile of scores: 512 bytes',
        '  output: 3072 bytes',
        '  running maxima and sums: 2048 bytes',
      ].join('\n'),
    );
  });
});
