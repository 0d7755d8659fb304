// `emulate inspect`: what it prints of a PE and of a row is what the machine does there, cycle for cycle.

import { describe, expect, test } from 'vitest';
import { CAUSES, type CauseName } from '../../emulator/program/causes.ts';
import { NONE } from '../../emulator/program/instruction.ts';
import { spmmProgram } from '../../kernels/spmm/program.ts';
import { specText } from '../../run/kernelCase.ts';
import { spmmCase } from '../fixtures/spmmCases.ts';
import { type Trace, trace } from '../fixtures/trace.ts';
import { emulate, folderWith } from './emulated.ts';

const EXAMPLE = 'examples/01-one-row/spec.json';
const LETTERS: Readonly<Record<CauseName, string>> = {
  compute: 'C',
  overhead: 'O',
  reduce: 'R',
  waitWeights: 'w',
  waitThread: 't',
  waitPartial: 'p',
  waitCredit: 'c',
  done: '.',
};

async function inspect(...argv: string[]): Promise<string[]> {
  const { code, out, err } = await emulate(['inspect', ...argv]);
  expect(err).toBe('');
  expect(code).toBe(0);
  const lines = out.split('\n');
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
  return lines;
}

async function refusal(...argv: string[]): Promise<string> {
  const { code, out, err } = await emulate(['inspect', ...argv]);
  expect([code, out]).toEqual([2, '']);
  return err;
}

function specOf(seed: number, rows: number): { file: string; traced: Trace; cols: number } {
  const shape = { ...spmmCase(seed), rows };
  const folder = folderWith({ 'case.json': specText({ kernel: 'spmm', ...shape }, 'a case') });
  return { file: `${folder}/case.json`, traced: trace(spmmProgram(shape), shape.latencies), cols: shape.cols };
}

function letters(traced: Trace, x: number, y: number): string {
  return traced
    .core(x, y)
    .map(({ cause }) => LETTERS[cause])
    .join('');
}

/** The lines of a picture, by column. */
function pictureOf(lines: readonly string[]): string[] {
  return lines.filter((line) => /^ +\d+ \S/.test(line)).map((line) => line.slice(6));
}

describe('a row', () => {
  test('of the example, as its page has it', async () => {
    const lines = await inspect('--spec', EXAMPLE, '--row', '0');
    expect(lines[0]).toBe('spmm on 3 x 1 PEs: row 0, cycles 0 to 45 of 46');
    expect(pictureOf(lines)).toEqual([
      'wwwOOOOOCCOOOOOCCOtttttRRRROOOOOCCORRRR.......',
      'wwwOtttttttttttttRRRROOOOOCCORRRR.............',
      'wwwOOOOOCCORRRROppppppppppppppppppppppppppRRRR',
    ]);
  });

  test('of any matmul, rows that fold too', async () => {
    for (const seed of [2, 5, 11, 23]) {
      const { file, traced, cols } = specOf(seed, 4);
      const row = seed % 4;
      const from = Math.max(0, Math.floor(traced.cycles / 2) - 40);
      const until = Math.min(traced.cycles, from + 90);
      const lines = await inspect('--spec', file, '--row', `${row}`, '--cycles', `${from}:${until - 1}`);
      const expected = Array.from({ length: cols }, (_, x) => letters(traced, x, row).slice(from, until));
      expect(pictureOf(lines), `seed ${seed}`).toEqual(expected);
    }
  });

  test('of more cycles than a line holds shows what most of a place are', async () => {
    const { file, traced, cols } = specOf(7, 1);
    expect(traced.cycles).toBeGreaterThan(94);
    const lines = await inspect('--spec', file, '--row', '0');
    const perPlace = Math.ceil(traced.cycles / 94);
    expect(lines.join('\n')).toContain(`a place is ${perPlace} cycles and shows what most of them were`);
    const shown = pictureOf(lines);
    expect(shown).toHaveLength(cols);
    shown.forEach((line, x) => {
      const all = letters(traced, x, 0);
      expect(line).toHaveLength(Math.ceil(all.length / perPlace));
      line.split('').forEach((letter, i) => {
        const place = all.slice(i * perPlace, (i + 1) * perPlace).split('');
        const count = (of: string): number => place.filter((each) => each === of).length;
        expect(count(letter)).toBe(Math.max(...place.map(count)));
      });
    });
  });

  test('is drawn in half blocks where there are colours, two PEs a line', async () => {
    const plain = pictureOf(await inspect('--spec', EXAMPLE, '--row', '0'));
    const { out } = await emulate(['inspect', '--spec', EXAMPLE, '--row', '0'], { env: { FORCE_COLOR: '3' } });
    const text = out.replaceAll('\u001b[', '<');
    // What stands for a cause is said in the last line.
    const colour = new Map<string, string>();
    for (const [, rgb, name] of text.matchAll(/<38;2;([\d;]+)m█<39m (\w+)/g)) colour.set(rgb, name);
    expect([...colour.values()]).toEqual([...CAUSES]);
    const letterOf = (rgb: string): string => {
      const cause = CAUSES.find((each) => each === colour.get(rgb));
      if (cause === undefined) throw new Error(`no cause is ${rgb}`);
      return LETTERS[cause];
    };
    const both = [...text.matchAll(/<38;2;([\d;]+)m<48;2;([\d;]+)m▀/g)];
    expect(both.map(([, upper]) => letterOf(upper)).join('')).toBe(plain[0]);
    expect(both.map(([, , lower]) => letterOf(lower)).join('')).toBe(plain[1]);
    const single = [...text.matchAll(/<38;2;([\d;]+)m▀/g)];
    expect(single.map(([, upper]) => letterOf(upper)).join('')).toBe(plain[2]);
  });
});

/** Cells of the table by cycle, those of a line of several cycles for each of them. */
function tableOf(lines: readonly string[]): { heads: string[]; rows: Map<number, Record<string, string>> } {
  const [head] = lines.filter((line) => line.startsWith('cycles  '));
  const starts = [...head.matchAll(/\S+(?: \S+)*/g)].map(({ index }) => index);
  const cellsOf = (line: string): string[] => starts.map((at, i) => line.slice(at, starts[i + 1]).trim());
  const heads = cellsOf(head);
  const rows = new Map<number, Record<string, string>>();
  for (const line of lines.slice(lines.indexOf(head) + 1)) {
    const found = /^(\d+)(?:-(\d+))? /.exec(line);
    if (found === null) break;
    const cells = Object.fromEntries(cellsOf(line).map((cell, i) => [heads[i], cell]));
    for (let t = Number(found[1]); t <= Number(found[2] ?? found[1]); t++) rows.set(t, cells);
  }
  return { heads, rows };
}

describe('a PE', () => {
  test('of the example: thread, instruction, queues', async () => {
    const lines = await inspect('--spec', EXAMPLE, '--pe', '0,0');
    const { rows } = tableOf(lines);
    expect(rows.size).toBe(46);
    expect(rows.get(3)).toMatchObject({ cause: 'overhead', 'instr.': '1.0', item: '1/2', slot: '1/7', '4 in': '2+-' });
    expect(rows.get(19)).toMatchObject({ cause: 'waitThread', 'instr.': '1.2', slot: '', 'waits for': 'semaphore 1' });
    expect(rows.get(1)).toMatchObject({ cause: 'waitWeights', 'waits for': 'color 4', '4 N': '1+-', '4 in': '.+' });
    expect(rows.get(25)).toMatchObject({ cause: 'reduce', 'instr.': '0.0', slot: '3/4', '2 in': '2-' });
    expect(rows.get(44)).toMatchObject({ cause: 'done', 'instr.': '', 'waits for': '' });
    const text = lines.join('\n');
    expect(text).toContain('1.0     2 items of 5 + 2 slots of compute; each takes a wavelet of color 4');
    expect(text).toContain('0.1     4 slots of reduce; takes semaphore 0; receives color 2; sends color 0');
  });

  test('has the thread, the cause and the depth of queues of the trace', async () => {
    for (const seed of [3, 8, 14]) {
      const { file, traced, cols } = specOf(seed, 2);
      const [x, y] = [seed % cols, seed % 2];
      const from = Math.floor(traced.cycles / 4);
      const { heads, rows } = tableOf(
        await inspect('--spec', file, '--pe', `${x},${y}`, '--cycles', `${from}:${from + 60}`),
      );
      expect(rows.size).toBe(Math.min(61, traced.cycles - from));
      const queues = heads.filter((head) => /^\d+ in$/.test(head));
      expect(queues.length).toBeGreaterThan(0);
      for (const [t, row] of rows) {
        const { thread, cause } = traced.core(x, y)[t];
        expect(row.cause).toBe(cause);
        if (thread !== NONE) expect(row['instr.']).toMatch(new RegExp(`^${thread}\\.`));
        for (const queue of queues) {
          const color = parseInt(queue, 10);
          const before = (times: readonly number[]): number => times.filter((each) => each < t).length;
          const depth = before(traced.left(x, y, color)) - before(traced.taken(x, y, color));
          expect(parseInt(row[queue].replace('.', '0'), 10), `cycle ${t}, color ${color}`).toBe(depth);
        }
      }
    }
  });

  test('of one color has only its buffers', async () => {
    const { heads } = tableOf(await inspect('--spec', EXAMPLE, '--pe', '0,0', '--of-color', '4'));
    expect(heads.slice(6)).toEqual(['4 N', '4 in']);
  });

  test('of a kernel from flags, of a gradient by weights, and of a program that ends in deadlock', async () => {
    const flags = ['--cols', '4', '--in', '32', '--out', '8', '--tokens', '16', '--sparsity', '0.5', '--rows', '600'];
    const far = await inspect('spmm', ...flags, '--pe', '3,599', '--cycles', '590:620');
    expect(far[0]).toMatch(/^spmm on 4 x 600 PEs: PE \(3,599\), cycles 590 to 620 of \d+$/);
    expect(tableOf(far).rows.get(601)?.cause).toBe('waitWeights');
    expect(tableOf(far).rows.get(602)?.cause).toBe('overhead');
    const gradient = await inspect('weightGradient', ...flags, '--pe', '0,1', '--cycles', '0:30');
    expect(gradient[0]).toContain('weightGradient on 4 x 600 PEs');
    const folder = folderWith({
      'stuck.json': {
        kernel: 'program',
        machine: {
          rampLatency: 2,
          routerBuffer: 2,
          inputQueue: 6,
          outputQueue: 6,
          creditLatency: 1,
          resultLatency: 1,
        },
        width: 1,
        height: 1,
        semaphores: 1,
        routes: [],
        cores: [{ x: 0, y: 0, threads: [[{ slots: 5 }, { slots: 1, take: 0 }]] }],
      },
    });
    const argv = ['inspect', '--spec', `${folder}/stuck.json`, '--pe', '0,0'];
    const before = await emulate([...argv, '--cycles', '0:3']);
    expect(before).toMatchObject({ code: 0, err: '' });
    expect(before.out).toContain('cycles 0 to 3 that end in deadlock');
    expect((await emulate(argv)).code).toBe(4);
  });
});

test('what is asked for must be there', async () => {
  const example = ['--spec', EXAMPLE];
  expect(await refusal(...example)).toContain('got neither --pe and --row, allowed one of them');
  expect(await refusal(...example, '--pe', '0,0', '--row', '0')).toContain('got both --pe and --row');
  expect(await refusal(...example, '--pe', '3,0')).toContain('--pe: got "3,0", allowed columns 0 to 2 and rows 0 to 0');
  expect(await refusal(...example, '--pe', '0:1,0')).toContain('2 PEs, allowed one');
  expect(await refusal(...example, '--pe', 'here')).toContain('--pe: got "here", allowed a PE such as 3,0');
  expect(await refusal(...example, '--row', '1')).toContain('--row: got');
  expect(await refusal(...example, '--row', '0', '--cycles', '46')).toContain('allowed 0 to 45');
  expect(await refusal(...example, '--row', '0', '--cycles', '9:3')).toContain('--cycles: got "9:3", allowed a cycle');
  expect(await refusal(...example, '--row', '0', '--of-color', '1')).toContain('got one with --row');
  expect(await refusal(...example, '--pe', '0,0', '--of-color', 'x')).toContain('--of-color: got "x", allowed a color');
  expect(await refusal('--pe', '0,0')).toContain('inspect: no kernel, got nothing');
  const vectors = ['--spec', 'test/vectors/machine-vectors.json', '--pe', '0,0'];
  expect(await refusal(...vectors)).toContain('--case 0 to');
  expect(await refusal(...vectors, '--case', '100000')).toContain('--case: got "100000", allowed 0 to');
  expect((await inspect(...vectors, '--case', '1'))[0]).toContain('PE (0,0)');
});
