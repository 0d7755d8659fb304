// What each effect costs: prices are cycles of the run less those of the twins, added up over operators and passes.

import { Chalk } from 'chalk';
import { describe, expect, test } from 'vitest';
import { boundByTwins } from '../../run/bound.ts';
import { EFFECTS, type Twins } from '../../run/result.ts';
import { effectCosts, effectTable } from '../../report/effects.ts';
import { helpedOf, leverAtPrices, leverOf } from '../../report/levers.ts';
import { linesOf, operatorTable } from '../../report/operatorTable.ts';
import { buildReport, type Report } from '../../report/report.ts';
import { terminalReport } from '../../report/terminal.ts';
import { gptFile, matmulFile, resultOf } from './ran.ts';

const plain = new Chalk({ level: 0 });
const gpt = await resultOf({ ...gptFile, mapping: { tokensPerPe: 16, accumulators: 8 } });

const twinsOf = ({ operators }: Report): Twins[] =>
  operators.map(({ twins }) => {
    if (twins === undefined) throw new Error('twins were asked for');
    return twins;
  });

describe('a report with twins', () => {
  const report = buildReport(gpt);
  const twins = twinsOf(report);

  test('has what each effect costs, of all passes', () => {
    const { operators, effects, mapping, wafer } = report;
    expect(effects?.map(({ effect }) => effect)).toEqual([...EFFECTS]);
    for (const { effect, cycles, share } of effects ?? []) {
      const without = operators.reduce((sum, operator, i) => sum + (twins[i][effect] ?? operator.cycles), 0);
      expect(cycles).toBe(wafer.cycles - without * mapping.passes);
      expect(share).toBeCloseTo((cycles ?? NaN) / wafer.cycles, 12);
    }
  });

  test('says where most of it is, layers together', () => {
    for (const { effect, mostly } of report.effects ?? []) {
      const prices = linesOf(report.operators).map(({ cycles, twins }) => cycles - (twins?.[effect] ?? cycles));
      expect(mostly?.cycles ?? 0).toBe(Math.max(...prices) * report.mapping.passes);
    }
    const overheads = report.effects?.find(({ effect }) => effect === 'noOverheads')?.mostly;
    expect(overheads?.operator).toMatch(/^h\.\*\.|^lm_head$/);
  });

  test('has operators that are bound by what costs the most', () => {
    report.operators.forEach(({ boundBy, cycles }, i) => expect(boundBy).toBe(boundByTwins(cycles, twins[i]).bound));
    expect(report.operators.map(({ boundBy }) => boundBy)).not.toEqual(
      gpt.wafer.operators.map(({ boundBy }) => boundBy),
    );
  });

  test('has the same hash of results as without them, and one of the twins', () => {
    const without = buildReport({ ...gpt, twins: null });
    expect(without.hashes).toEqual({ ...report.hashes, twins: null });
    expect(report.hashes.twins).toMatch(/^[0-9a-f]{64}$/);
    const other = (gpt.twins ?? []).map((each) => ({ ...each, noOverheads: each.noOverheads - 1 }));
    expect(buildReport({ ...gpt, twins: other }).hashes.twins).not.toBe(report.hashes.twins);
  });

  test('counts the runs of the twins as run', () => {
    const without = buildReport({ ...gpt, twins: null });
    const times = report.run.equivalentPeCyclesPerSecond / without.run.equivalentPeCyclesPerSecond;
    expect(times).toBeGreaterThan(1.5);
    expect(times).toBeLessThan(7 / 3);
  });
});

test('a report without twins has no prices, and bounds by causes', () => {
  const report = buildReport({ ...gpt, twins: null });
  expect(report.effects).toBeNull();
  const { operators } = buildReport(gpt);
  expect(report.operators).toEqual(
    operators.map(({ twins: _twins, ...operator }, i) => ({ ...operator, boundBy: gpt.wafer.operators[i].boundBy })),
  );
  expect(terminalReport(report, plain)).not.toContain('effect');
});

const twins: Twins = {
  balancedZeros: 80,
  unboundedAccumulators: 100,
  noOverheads: 90,
  freeIngress: null,
  noWaiting: 75,
  slots: { compute: 10, overhead: 20, reduce: 27 },
  accumulators: 32,
};

describe('effects of two places', () => {
  const places = [
    { name: 'h.*.mlp.c_fc', cycles: 100, twins },
    {
      name: 'wte',
      cycles: 40,
      twins: { ...twins, balancedZeros: null, unboundedAccumulators: null, noOverheads: 45, noWaiting: 0 },
    },
  ];
  const costs = effectCosts(places, 3);

  test('add up; one that nobody has is not taken for 0', () => {
    expect(costs.map(({ effect, cycles }) => [effect, cycles])).toEqual([
      ['balancedZeros', 60],
      ['unboundedAccumulators', 0],
      ['noOverheads', 15],
      ['freeIngress', null],
      ['noWaiting', 195],
    ]);
    expect(costs.map(({ mostly }) => mostly?.operator)).toEqual([
      'h.*.mlp.c_fc',
      undefined,
      'h.*.mlp.c_fc',
      undefined,
      'wte',
    ]);
  });

  test('are a line each', () => {
    const [head, ...lines] = effectTable(costs, plain);
    expect(head).toMatch(/^effect, alone +costs +share +most of it in +what would help$/);
    expect(lines).toHaveLength(EFFECTS.length);
    expect(lines[0]).toMatch(/^uneven zeros +60 +14\.3 % +h\.\*\.mlp\.c_fc +fewer columns/);
    expect(lines[1]).toMatch(/^few accumulators +0 +0\.0 % +- +-$/);
    expect(lines[3]).toMatch(/^the edge +- +- +- +-$/);
  });
});

test('layers that are alike in kind but not in zeros are one line', () => {
  const operator = {
    kind: 'linear',
    cycles: 100,
    share: 0.5,
    utilisation: 0.5,
    where: gpt.wafer.operators[0].where,
  } as const;
  const lines = linesOf([
    { ...operator, name: 'h.0.mlp.c_fc', twins },
    {
      ...operator,
      name: 'h.1.mlp.c_fc',
      cycles: 60,
      twins: { ...twins, balancedZeros: null, noOverheads: 50, accumulators: 64 },
    },
  ]);
  expect(lines).toHaveLength(1);
  expect(lines[0].twins).toEqual({
    balancedZeros: 140,
    unboundedAccumulators: 200,
    noOverheads: 140,
    freeIngress: null,
    noWaiting: 150,
    slots: { compute: 20, overhead: 40, reduce: 54 },
    accumulators: 64,
  });
});

test('the table of operators says what the bound costs', async () => {
  const report = buildReport(await resultOf(matmulFile));
  const [{ cycles, kind, boundBy }] = report.operators;
  const [own] = twinsOf(report);
  const { costs } = boundByTwins(cycles, own);
  const [, row] = operatorTable(report.operators, 1, plain);
  expect(row).toContain(
    ` ${boundBy} ${((100 * costs) / cycles).toFixed(0)} %  ${leverAtPrices(boundBy, kind, cycles, own)}`,
  );
});

function lever(unboundedAccumulators: number): string {
  return leverAtPrices('load imbalance', 'linear', 100, { ...twins, unboundedAccumulators });
}

describe('what would help', () => {
  test('against imbalance are accumulators where they do at least half as much as even zeros', () => {
    expect(lever(90)).toBe('more accumulators (K)');
    expect(lever(91)).toBe('fewer columns (C)');
  });

  test('a gradient by weights are larger chunks and a wider edge, not accumulators, of which it has none', () => {
    const helped = [
      { name: 'h.0.mlp.c_fc.wgrad', kind: 'linear' },
      { name: 'h.0.mlp.c_fc.dgrad', kind: 'linear' },
      { name: 'lm_head.backward', kind: 'lmHead' },
      { name: 'lm_head', kind: 'lmHead' },
    ] as const;
    expect(helped.map(helpedOf)).toEqual(['weightGradient', 'linear', 'weightGradient', 'lmHead']);
    const bounds = ['compute', 'overhead', 'reduction', 'weight stream', 'load imbalance', 'fabric'] as const;
    for (const bound of bounds)
      for (const text of [leverOf(bound, 'weightGradient'), leverAtPrices(bound, 'weightGradient', 100, twins)])
        expect(text).not.toContain('(K)');
    expect(leverOf('load imbalance', 'weightGradient')).toBe('larger chunks (sums)');
    expect(leverOf('weight stream', 'weightGradient')).toBe('wider edge, fewer passes');
    expect(leverAtPrices('load imbalance', 'weightGradient', 100, twins)).toBe('more gradient buffers');
  });

  test('is what bounds it otherwise', () => {
    for (const bound of ['compute', 'overhead', 'reduction', 'weight stream'] as const)
      expect(leverAtPrices(bound, 'linear', 100, twins)).toBe(leverOf(bound, 'linear'));
    expect(leverAtPrices('fabric', 'norm', 100, twins)).toBe('fewer rows and columns');
  });
});
