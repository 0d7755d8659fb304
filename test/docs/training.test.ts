// examples/gptj-train: the table of measured and emulated training steps is that of the runs, in the mappings that it names;
// with WAFER_NIGHTLY=1 the mapper finds these mappings. WAFER_UPDATE=1 finds them and writes the table anew.

import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { loadModel } from '../../compiler/model/load.ts';
import type { Mapping } from '../../compiler/mapping/mapping.ts';
import { runWafer, type WaferRun } from '../../run/wafer.ts';
import { inProcessTimer } from '../../run/timer.ts';

const folder = new URL('../../examples/gptj-train/', import.meta.url);
const readme = new URL('README.md', folder);
const isUpdating = process.env.WAFER_UPDATE === '1';
const isWhole = isUpdating || process.env.WAFER_NIGHTLY === '1';
const TIMEOUT = 600_000;

const measured = z
  .object({
    data: z.array(
      z.looseObject({
        id: z.string(),
        from: z.string(),
        preset: z.string(),
        machine: z.string(),
        systems: z.number(),
        batch: z.number(),
        sequence: z.number(),
        perSystem: z.number(),
      }),
    ),
  })
  .parse(
    JSON.parse(readFileSync(new URL('../../validation/cs-training-throughput.json', import.meta.url), 'utf8')),
  ).data;

type Measured = (typeof measured)[number];
type Chosen = Pick<Mapping, 'columns' | 'tokensPerPe'>;

const timer = inProcessTimer();
afterAll(() => timer.close());

/** What one of the systems has of the step, in a mapping, or in the one that the mapper finds. */
function run({ preset, machine, systems, batch, sequence }: Measured, chosen?: Chosen): Promise<WaferRun> {
  const mapping =
    chosen === undefined ? [] : [`mapping.columns=${chosen.columns}`, `mapping.tokensPerPe=${chosen.tokensPerPe}`];
  const set = ['workload.kind=train', `workload.batch=${batch / systems}`, `workload.sequence=${sequence}`, ...mapping];
  return runWafer(loadModel(preset, { machine, set }), { timer });
}

const HEAD = [
  '| model | machine | batch | C | T | passes | emulated | measured | error | source |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
];

function errorOf({ perSystem }: Measured, { wafer }: WaferRun): number {
  return wafer.tokensPerSecond / perSystem - 1;
}

function rowOf(of: Measured, result: WaferRun): string {
  const { wafer } = result;
  const { columns, tokensPerPe, passes } = wafer.mapping;
  const error = 100 * errorOf(of, result);
  const cells = [
    of.preset,
    of.systems === 1 ? of.machine : `${of.systems} x ${of.machine}`,
    of.batch,
    columns,
    tokensPerPe,
    passes,
    Math.round(wafer.tokensPerSecond).toLocaleString('en-US'),
    of.perSystem.toLocaleString('en-US'),
    `${error < 0 ? '−' : '+'}${Math.abs(error).toFixed(1)} %`,
    of.from,
  ];
  return `| ${cells.join(' | ')} |`;
}

function shown(): { readonly text: string; readonly from: number; readonly to: number } {
  const text = readFileSync(readme, 'utf8');
  const begin = '<!-- measured: begin -->\n\n';
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf('\n\n<!-- measured: end -->');
  expect(to).toBeGreaterThan(from);
  return { text, from, to };
}

function shownRow(i: number): string {
  const { text, from, to } = shown();
  return text.slice(from, to).split('\n')[HEAD.length + i];
}

test.runIf(isUpdating)(
  'is written',
  async () => {
    const rows: string[] = [];
    for (const each of measured) rows.push(rowOf(each, await run(each)));
    const { text, from, to } = shown();
    writeFileSync(readme, `${text.slice(0, from)}${[...HEAD, ...rows].join('\n')}${text.slice(to)}`);
  },
  TIMEOUT,
);

/** Of what was measured, and where the emulator is further off than it should be. */
const WITHIN = 0.2;
const FURTHER_OFF = ['cs3.gptj.1'];

describe.each(measured.map((each, i) => ({ ...each, i })))('$id', ({ i, ...each }) => {
  test('is as the table says, and within 20 % where the text says so', async () => {
    const cells = shownRow(i)
      .split('|')
      .map((cell) => cell.trim());
    const result = await run(each, { columns: Number(cells[4]), tokensPerPe: Number(cells[5]) });
    expect(rowOf(each, result)).toBe(shownRow(i));
    const error = Math.abs(errorOf(each, result));
    if (FURTHER_OFF.includes(each.id)) expect(error).toBeGreaterThan(WITHIN);
    else expect(error).toBeLessThan(WITHIN);
  }, 60_000);

  test.runIf(isWhole)(
    'is in the mapping that the mapper finds',
    async () => {
      expect(rowOf(each, await run(each))).toBe(shownRow(i));
    },
    TIMEOUT,
  );
});

test('the table has a row of each, and the mapping file that of the first', async () => {
  const { text, from, to } = shown();
  expect(text.slice(from, to).split('\n')).toHaveLength(HEAD.length + measured.length);
  const [first] = measured;
  const file = new URL('mapping.json', folder).pathname;
  const of = loadModel(new URL('../gptj-train.json', folder).pathname, { mapping: file });
  const { wafer } = await runWafer(of, { timer });
  expect(rowOf(first, { spec: of, wafer })).toBe(shownRow(0));
}, 60_000);
