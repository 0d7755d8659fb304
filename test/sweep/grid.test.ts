// What `--vary` means: lists, exact ranges, grids and their order, and what is refused.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { axesOf, MOST_POINTS, pointsOf } from '../../sweep/grid.ts';
import { refusal } from '../compiler/model/written.ts';

function valuesOf(given: string): unknown[] {
  const [{ values }] = axesOf([`x=${given}`], []);
  return values.map(({ value }) => value);
}

function decimal(digits: number, places: number): string {
  const text = String(Math.abs(digits)).padStart(places + 1, '0');
  const at = text.length - places;
  return `${digits < 0 ? '-' : ''}${text.slice(0, at)}${places > 0 ? `.${text.slice(at)}` : ''}`;
}

describe('ranges', () => {
  test('0:0.95:0.05 is its twenty decimals', () => {
    const decimals = '0 0.05 0.1 0.15 0.2 0.25 0.3 0.35 0.4 0.45 0.5 0.55 0.6 0.65 0.7 0.75 0.8 0.85 0.9 0.95';
    expect(valuesOf('0:0.95:0.05').map(String).join(' ')).toBe(decimals);
  });

  test.each([
    ['1:4:1', [1, 2, 3, 4]],
    ['4:1:-1', [4, 3, 2, 1]],
    ['0:1:0.4', [0, 0.4, 0.8]],
    ['-0.2:0.1:0.1', [-0.2, -0.1, 0, 0.1]],
    ['1e9:2e9:5e8', [1e9, 1.5e9, 2e9]],
    ['5:5:1', [5]],
    ['0,0.5:0.7:0.1,0.95', [0, 0.5, 0.6, 0.7, 0.95]],
  ])('%s', (given, expected) => expect(valuesOf(given)).toEqual(expected));

  test('each value is the number that its decimal names, none is beyond the end, none is left out', () => {
    const whole = fc.integer({ min: -100_000, max: 100_000 });
    const step = fc.integer({ min: -500, max: 500 }).filter((by) => by !== 0);
    const count = fc.integer({ min: 1, max: 300 });
    fc.assert(
      fc.property(whole, step, count, fc.integer({ min: 0, max: 6 }), fc.nat(), (from, by, n, places, beyond) => {
        const to = from + (n - 1) * by + Math.sign(by) * (beyond % Math.abs(by));
        const range = [from, to, by].map((digits) => decimal(digits, places)).join(':');
        // Adding zero takes the sign from -0.
        const expected = Array.from({ length: n }, (_, i) => Number(decimal(from + i * by, places)) + 0);
        expect(valuesOf(range)).toEqual(expected);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe('lists', () => {
  test.each([
    ['4,8', [4, 8]],
    ['wse2, wse3', ['wse2', 'wse3']],
    ['true,false', [true, false]],
    ['"4",4', ['4', 4]],
    ['"a,b:c",d', ['a,b:c', 'd']],
    ['["qkv"],["mlpIn","mlpOut"]', [['qkv'], ['mlpIn', 'mlpOut']]],
    ['{"value":0.5,"seed":2},0.25', [{ value: 0.5, seed: 2 }, 0.25]],
    ['folder/a.json,b=c.json', ['folder/a.json', 'b=c.json']],
  ])('%s', (given, expected) => expect(valuesOf(given)).toEqual(expected));

  test('values of JSON come back', () => {
    const values = fc.array(fc.jsonValue({ maxDepth: 3 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(values, (all) => {
        const texts = all.map((value) => JSON.stringify(value));
        expect(valuesOf(texts.join(','))).toEqual(texts.map((text): unknown => JSON.parse(text)));
      }),
      { seed: 2, numRuns: 300 },
    );
  });
});

test('the last field changes fastest', () => {
  const points = pointsOf(axesOf(['sparsity=0:0.5:0.25', 'gpu=v100,h100'], []));
  const texts = points.map((point) => point.map(({ path, text }) => `${path}=${text}`).join(' '));
  expect(texts).toEqual([
    'sparsity=0 gpu=v100',
    'sparsity=0 gpu=h100',
    'sparsity=0.25 gpu=v100',
    'sparsity=0.25 gpu=h100',
    'sparsity=0.5 gpu=v100',
    'sparsity=0.5 gpu=h100',
  ]);
});

describe('refused', () => {
  test.each([
    ['sparsity', 'not path=values, got "sparsity"'],
    ['=1', 'not path=values'],
    ['x=', 'x: an empty value'],
    ['x=1,,2', 'x: an empty value'],
    ['x=0:1', 'not a range of three numbers, got "0:1"'],
    ['x=0:1:2:3', 'not a range of three numbers'],
    ['x=0:1e999:1', 'not a range of three numbers'],
    ['x=0:1:1e-999999999', 'not a range of three numbers'],
    ['x=0:1:0', 'a step of zero'],
    ['x=0:1:0.0', 'a step of zero'],
    ['x=0:1:-0.1', 'the step leads away from the end'],
    ['x=1:10001:1', 'x has 10,001 values, allowed 10,000 points'],
    ['x=0:1e300:1e-300', 'values, allowed 10,000 points'],
  ])('%s', (given, expected) => {
    const message = refusal(() => axesOf([given], []));
    expect(message).toMatch(/^--vary/);
    expect(message).toContain(expected);
  });

  test('a grid of more points than are allowed, and not one of as many', () => {
    expect(pointsOf(axesOf(['a=1:100:1', 'b=1:100:1'], []))).toHaveLength(MOST_POINTS);
    expect(refusal(() => axesOf(['a=1:100:1', 'b=1:101:1'], []))).toContain(
      'the grid has 10,100 points, allowed 10,000',
    );
  });

  test('a field that is varied twice, or fixed too', () => {
    const twice = 'is varied twice';
    expect(refusal(() => axesOf(['a=1', 'b=1', 'a=2'], []))).toBe(`--vary: a ${twice}`);
    expect(refusal(() => axesOf(['sparsity.value=1', 'sparsity=2'], []))).toBe(`--vary: sparsity ${twice}`);
    expect(refusal(() => axesOf(['sparsity.value=1'], ['sparsity']))).toContain('is fixed by another flag');
    expect(axesOf(['machine=wse2,wse3'], ['machine.core.simdFp16', 'gpu'])).toHaveLength(1);
  });
});
