// A case of `emulate kernel --spec` that is no kernel but a program of one's own: routes, streams and the threads of cores,
// as docs/machine.md has them. What no machine could run is refused.
//
//   {"kernel": "program", "machine": {...}, "width": 2, "height": 1,
//    "routes": [{"x": 0, "y": 0, "color": 0, "from": "R", "to": ["E"]}, {"x": 1, "y": 0, "color": 0, "from": "W", "to": ["R"]}],
//    "cores": [{"x": 0, "y": 0, "threads": [[{"slots": 5, "output": 0}]]}, {"x": 1, "y": 0, "threads": [[{"slots": 5, "input": 0}]]}]}

import { z } from 'zod';
import type { Document } from '../../compiler/model/document.ts';
import { failureOf } from '../../compiler/model/located.ts';
import type { Path } from '../../compiler/model/paths.ts';
import { EmulateError, EXIT } from '../../emulator/errors.ts';
import type { Latencies } from '../../emulator/machine/spec.ts';
import { CAUSE } from '../../emulator/program/causes.ts';
import { type CoreProgram, PORT, PORT_NAMES, type Port } from '../../emulator/program/fabric.ts';
import { type Instruction, thread } from '../../emulator/program/instruction.ts';
import type { TimingProgram } from '../../emulator/stepped/cut.ts';
import { load } from '../../emulator/stepped/load.ts';

const MOST_PES = 65_536;
const MOST_SEMAPHORES = 64;
const MOST_SLOTS = 1_000_000;
/** As many as the form of a program allows; how many a machine has is not asked. */
const COLORS = 64;

const place = { x: z.int().min(0), y: z.int().min(0) };
const color = z
  .int()
  .min(0)
  .max(COLORS - 1);
const port = z.enum(PORT_NAMES);
const semaphore = z
  .int()
  .min(0)
  .max(MOST_SEMAPHORES - 1);
const count = z.int().min(0).max(MOST_SLOTS);

const instruction = z.strictObject({
  slots: count,
  repeat: count.optional(),
  overhead: count.optional(),
  cause: z.enum(['compute', 'overhead', 'reduce']).optional(),
  trigger: color.optional(),
  input: color.optional(),
  output: color.optional(),
  take: semaphore.optional(),
  give: semaphore.optional(),
  control: z.boolean().optional(),
});

export const programSpec = {
  name: z.string().max(40).optional(),
  width: z.int().min(1).max(MOST_PES),
  height: z.int().min(1).max(MOST_PES),
  routes: z.array(z.strictObject({ ...place, color, from: port, to: z.array(port) })),
  streams: z
    .array(
      z.strictObject({
        ...place,
        port,
        color,
        gap: z.tuple([z.int().min(1).max(MOST_SLOTS), z.int().min(1).max(MOST_SLOTS)]).optional(),
        // A 1 for each control wavelet, a 0 for each other.
        control: z.string().regex(/^[01]*$/),
      }),
    )
    .optional(),
  cores: z.array(z.strictObject({ ...place, threads: z.array(z.array(instruction)) })),
  semaphores: z.int().min(0).max(MOST_SEMAPHORES).optional(),
  edgeColors: z.array(color).optional(),
};

const programShape = z.object(programSpec);

type Given = z.output<typeof programShape>;

/** The program that is described at `path`, once it is sure that a machine with these latencies can run it. */
export function programOf(document: Document, path: Path, given: Given, latencies: Latencies): TimingProgram {
  const { name = 'program', width, height, routes, streams = [], semaphores = 0, edgeColors = [] } = given;
  const refuse = (at: Path, text: string): Error =>
    failureOf(document, [{ path: [...path, ...at], on: 'value', text }]);
  if (width * height > MOST_PES)
    throw refuse(['width'], `too large, got ${width} x ${height} PEs, allowed ${MOST_PES} in all`);
  const program: TimingProgram = {
    name,
    width,
    height,
    routes: routes.map(({ from, to, ...route }) => ({
      ...route,
      from: PORT[from],
      to: to.map((each): Port => PORT[each]),
    })),
    streams: streams.map(({ gap = [1, 1], control, ...stream }, i) => {
      if (gap[0] < gap[1])
        throw refuse(['streams', i, 'gap'], `not a gap, got ${JSON.stringify(gap)}, allowed [n, d]: n / d at least 1`);
      return {
        ...stream,
        port: PORT[stream.port],
        gapNumerator: gap[0],
        gapDenominator: gap[1],
        control: Uint8Array.from(control, Number),
      };
    }),
    cores: coresOf(given, semaphores, refuse),
    semaphores,
    edgeColors,
    code: [],
    memoryWords: 0,
  };
  try {
    load(program, latencies);
  } catch (error) {
    if (!(error instanceof EmulateError) || error.code !== EXIT.defect) throw error;
    throw refuse([], `no machine can run it: ${error.message.replace(`internal: ${name}: `, '')}`);
  }
  return program;
}

function coresOf(
  { width, height, cores }: Given,
  semaphores: number,
  refuse: (at: Path, text: string) => Error,
): CoreProgram[] {
  const all = Array.from({ length: width * height }, (): CoreProgram => ({ threads: [] }));
  const seen = new Set<number>();
  cores.forEach(({ x, y, threads }, i) => {
    const pe = y * width + x;
    if (x >= width || y >= height || seen.has(pe))
      throw refuse(['cores', i], `no place for it, got (${x},${y}), allowed each of ${width} x ${height} PEs once`);
    seen.add(pe);
    all[pe] = {
      threads: threads.map((code, k) => {
        code.forEach(({ take, give }, n) => {
          const unknown = [take, give].find((each) => each !== undefined && each >= semaphores);
          if (unknown === undefined) return;
          const at = ['cores', i, 'threads', k, n];
          throw refuse(at, `no such semaphore, got ${unknown}, allowed less than "semaphores", ${semaphores}`);
        });
        return thread(code.map(instructionOf));
      }),
    };
  });
  return all;
}

function instructionOf({ cause, ...given }: z.output<typeof instruction>): Instruction {
  const fields = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { slots: given.slots, ...fields, ...(cause === undefined ? {} : { cause: CAUSE[cause] }) };
}
