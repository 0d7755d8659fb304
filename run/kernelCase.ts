// One case of a kernel as plain data, and as the text of a file that `emulate kernel --spec` reads (cli/kernel/spec.ts).

import type { MatmulStep } from '../compiler/lower/program.ts';
import type { Latencies, Machine } from '../emulator/machine/spec.ts';
import { CAUSES } from '../emulator/program/causes.ts';
import { PORT_NAMES } from '../emulator/program/fabric.ts';
import * as instruction from '../emulator/program/instruction.ts';
import type { TimingProgram } from '../emulator/stepped/cut.ts';
import type { SpmmShape } from '../emulator/streamed/shape.ts';
import type { SpmmCase } from '../kernels/index.ts';
import type { ChunkedGradient } from './weightGradient.ts';

const { AT_CAUSE, AT_CONTROL, AT_GIVE, AT_INPUT, AT_OUTPUT, AT_OVERHEAD, AT_REPEAT } = instruction;
const { AT_SLOTS, AT_TAKE, AT_TRIGGER, INSTRUCTION_WORDS, NONE } = instruction;

export const LINE_KERNELS = ['chainReduce', 'broadcast'] as const;

export interface LineCase {
  readonly kernel: (typeof LINE_KERNELS)[number];
  readonly width: number;
  readonly wavelets: number;
  readonly latencies: Latencies;
}

/** A sparse matmul whose mask is a rule: its cells are counted where it is timed. */
export interface DrawnMatmul {
  readonly kernel: 'spmm';
  readonly step: MatmulStep;
  readonly machine: Machine;
  readonly rows: number;
}

/** The gradient by such weights, of which all output features are one chunk. */
export interface DrawnGradient {
  readonly kernel: 'weightGradient';
  readonly step: ChunkedGradient;
  readonly machine: Machine;
  readonly rows: number;
}

/** The products of a chunk, as the engines of the matmul take them (kernels/weightGradient/shape.ts). */
export interface GradientCase extends SpmmShape {
  readonly kernel: 'weightGradient';
}

/** Any program of routes, streams and threads. */
export interface ProgramCase {
  readonly kernel: 'program';
  readonly program: TimingProgram;
  readonly latencies: Latencies;
}

/** A case as an engine takes it. */
export type PlainCase = SpmmCase | LineCase | ProgramCase;

export type KernelCase = PlainCase | GradientCase | DrawnMatmul | DrawnGradient;

/** The text of a spec file; `note` says what it is. */
export function specText(one: PlainCase, note: string): string {
  return `${JSON.stringify({ note, ...specOf(one) }, null, 1)}\n`;
}

function specOf(one: PlainCase): object {
  const { kernel, latencies: machine } = one;
  if (kernel === 'program') return { kernel, machine, ...specOfProgram(one.program) };
  if (kernel !== 'spmm') return { kernel, machine, width: one.width, wavelets: one.wavelets };
  const { latencies: _, nnz, ends, features, cols, ...rest } = one;
  return {
    ...rest,
    machine,
    cols,
    nnz: Array.from({ length: features }, (_, n) => Array.from(nnz.subarray(n * cols, (n + 1) * cols))),
    ...(ends === undefined ? {} : { ends: Array.from(ends) }),
  };
}

function specOfProgram(program: TimingProgram): object {
  const { name, width, height, routes, streams, cores, semaphores, edgeColors } = program;
  return {
    name,
    width,
    height,
    semaphores,
    edgeColors,
    routes: routes.map(({ x, y, color, from, to }) => ({
      x,
      y,
      color,
      from: PORT_NAMES[from],
      to: to.map((port) => PORT_NAMES[port]),
    })),
    streams: streams.map(({ x, y, port, color, gapNumerator, gapDenominator, control }) => ({
      x,
      y,
      port: PORT_NAMES[port],
      color,
      gap: [gapNumerator, gapDenominator],
      control: control.join(''),
    })),
    cores: cores.flatMap(({ threads }, pe) =>
      threads.length === 0 ? [] : [{ x: pe % width, y: Math.floor(pe / width), threads: threads.map(instructionsOf) }],
    ),
  };
}

function instructionsOf(code: Int32Array): object[] {
  return Array.from({ length: code.length / INSTRUCTION_WORDS }, (_, i) => {
    const at = i * INSTRUCTION_WORDS;
    const fields = {
      trigger: code[at + AT_TRIGGER],
      input: code[at + AT_INPUT],
      output: code[at + AT_OUTPUT],
      take: code[at + AT_TAKE],
      give: code[at + AT_GIVE],
    };
    return {
      repeat: code[at + AT_REPEAT],
      overhead: code[at + AT_OVERHEAD],
      slots: code[at + AT_SLOTS],
      cause: CAUSES[code[at + AT_CAUSE]],
      ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== NONE)),
      ...(code[at + AT_CONTROL] === 1 ? { control: true } : {}),
    };
  });
}
