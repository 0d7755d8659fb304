// --trace of a run: its operators over all passes as the report counts them, and PEs of the wafer in a window.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { decodePerfetto, type DecodedTrack } from '../fixtures/perfetto.ts';
import { emulate, folderWith, tinyModel } from './emulated.ts';

const reportSchema = z.object({
  wafer: z.object({ cycles: z.number() }),
  mapping: z.object({ passes: z.number(), columns: z.number(), groups: z.number(), rows: z.number() }),
  operators: z.array(
    z.object({
      name: z.string(),
      cycles: z.number(),
      where: z.record(z.string(), z.number()),
      steps: z.array(z.object({ kernel: z.string(), repeat: z.number(), cycles: z.number() })),
    }),
  ),
});

const COMMON = ['--no-twins', '--workers', '1'];

function named(tracks: readonly DecodedTrack[], group: string, name: string): DecodedTrack {
  const found = tracks.filter((track) => track.group === group && track.name === name);
  expect(found).toHaveLength(1);
  return found[0];
}

test('operators and kernels stand where the report has them, pass after pass', async () => {
  const workload = { batch: 40, sequence: 32 };
  const folder = folderWith({ 'model.json': { ...tinyModel, workload } });
  const [trace, json] = [`${folder}/run.pftrace`, `${folder}/run.json`];
  const { code, err } = await emulate([`${folder}/model.json`, ...COMMON, '--trace', trace, '--json', json]);
  expect([code, err]).toEqual([0, '']);
  const { wafer, mapping, operators } = reportSchema.parse(JSON.parse(readFileSync(json, 'utf8')));
  expect(mapping.passes).toBeGreaterThan(1);
  const tracks = await decodePerfetto(readFileSync(trace));
  expect(tracks.map(({ group, name }) => `${group} ${name}`)).toEqual([
    'wafer passes',
    'wafer operators',
    'wafer kernels',
  ]);
  let at = 0;
  const expected = Array.from({ length: mapping.passes }, () => operators)
    .flat()
    .map(({ name, cycles }) => ({ name, from: at, until: (at += cycles) }));
  expect(named(tracks, 'wafer', 'operators').slices.map(({ name, from, until }) => ({ name, from, until }))).toEqual(
    expected,
  );
  expect(at).toBe(wafer.cycles);
  const kernels = named(tracks, 'wafer', 'kernels').slices;
  const steps = operators.flatMap(({ steps: own }) => own);
  expect(kernels).toHaveLength(mapping.passes * steps.length);
  kernels.forEach(({ name, from, until, details }, i) => {
    const { kernel, repeat, cycles } = steps[i % steps.length];
    expect([name, until - from, details.runs]).toEqual([kernel, repeat * cycles, repeat]);
  });
});

test('PEs of a window are traced in the kernels that run there, by both commands', async () => {
  const folder = folderWith({ 'model.json': tinyModel });
  const model = `${folder}/model.json`;
  const whole = await emulate([model, ...COMMON, '--json', '-']);
  const { operators } = reportSchema.parse(JSON.parse(whole.out));
  const first = operators.findIndex(({ name }) => name === 'h.0.attn.c_attn');
  const begun = operators.slice(0, first).reduce((sum, { cycles }) => sum + cycles, 0);
  const window = ['--window', `${begun - 20}:${begun + 399}`, '--pes', '2:3,1'];
  const file = `${folder}/run.pftrace`;
  expect(await emulate([model, ...COMMON, '--trace', file, ...window])).toMatchObject({ code: 0, err: '' });
  const tracks = await decodePerfetto(readFileSync(file));
  for (const group of ['PE 2,1', 'PE 3,1']) {
    const cause = named(tracks, group, 'cause').slices;
    expect(cause[0].from).toBe(begun - 20);
    expect(cause.at(-1)?.until).toBe(begun + 400);
    cause.slice(1).forEach(({ from }, i) => expect(from).toBe(cause[i].until));
    // 56 cycles to start the matmul, as overhead without a thread; then the first weights are waited for.
    const start = cause.find(({ from }) => from === begun);
    expect(start).toMatchObject({
      name: 'overhead',
      until: begun + 56,
      details: { operator: 'h.0.attn.c_attn', kernel: 'start of spmm' },
    });
    expect(cause.find(({ from }) => from === begun + 56)?.name).toBe('waitWeights');
    const slots = named(tracks, group, 'thread 1').slices;
    expect(slots.some(({ from }) => from > begun + 56)).toBe(true);
    expect(tracks.some((track) => track.group === group && track.name === 'color 4 in')).toBe(true);
  }
  const program = `${folder}/program.json`;
  expect((await emulate(['compile', model, '--out', program])).code).toBe(0);
  const again = `${folder}/again.pftrace`;
  expect((await emulate(['run', program, ...COMMON, '--trace', again, ...window])).code).toBe(0);
  expect(await decodePerfetto(readFileSync(again))).toEqual(tracks);
});

test('a window needs PEs that are in use and cycles of the run', async () => {
  const folder = folderWith({ 'model.json': tinyModel });
  const argv = [`${folder}/model.json`, ...COMMON, '--trace', `${folder}/a`];
  const refusal = async (...flags: string[]): Promise<string> => {
    const { code, err } = await emulate([...argv, ...flags]);
    expect(code).toBe(2);
    return err;
  };
  expect(await refusal('--pes', '0,0')).toContain('--pes: got one without --window');
  expect(await refusal('--window', '0:10')).toContain('--window: got one without --pes');
  expect(await refusal('--window', '0:10', '--pes', '16,0')).toContain('--pes: got "16,0", allowed columns 0 to');
  expect(await refusal('--window', '999999999', '--pes', '0,0')).toContain('allowed 0 to');
});
