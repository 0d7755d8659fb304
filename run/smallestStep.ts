// The smallest case of a step that breaks a law, as a file that shows it: of a matmul its cells, of a kernel that is run as a
// program that program; where only the step itself breaks the law, a program of one operator for `emulate run`.

import { encodeProgram } from '../compiler/lower/codec.ts';
import { type MeshShape, type Program, PROGRAM_FORMAT, type StepShape } from '../compiler/lower/program.ts';
import type { Law, SmallestCase } from '../emulator/laws.ts';
import { type Latencies, latenciesOf, type Machine } from '../emulator/machine/spec.ts';
import { type TimingProgram, timingOnly } from '../emulator/stepped/cut.ts';
import type { SpmmShape } from '../emulator/streamed/shape.ts';
import { type SpmmCase, timingProgram } from '../kernels/index.ts';
import { timeSpmm } from '../kernels/spmm/time.ts';
import type { PlainCase } from './kernelCase.ts';
import { timeProgram } from './meshTime.ts';
import { breaks, fileOf, isSound, lawNote, smallerShapes, smallestCase, smallestThat } from './smallest.ts';

/** How steps are timed, and the matmuls that are a part of that. */
export interface StepTimes {
  readonly time: (shape: StepShape, machine: Machine) => unknown;
  readonly matmuls: (shape: StepShape, machine: Machine) => Iterable<SpmmShape>;
}

export function smallestStep(shape: StepShape, machine: Machine, law: Law, times: StepTimes): SmallestCase {
  for (const row of times.matmuls(shape, machine)) {
    const whole: SpmmCase = { kernel: 'spmm', ...row };
    if (breaks(law, () => timePlain(whole))) return fileOf(smallestCase(whole, law, timePlain), lawNote(law));
  }
  const asProgram =
    shape.kernel === 'spmm' || shape.kernel === 'weightGradient' ? undefined : smallestProgram(shape, machine, law);
  return asProgram ?? stepFile(shape, machine, law, times);
}

function timePlain(one: PlainCase): unknown {
  if (one.kernel === 'spmm') return timeSpmm(one, 'auto');
  return one.kernel === 'program' ? timeProgram(one.program, one.latencies) : undefined;
}

/** undefined where the program of the kernel keeps the law. */
function smallestProgram(shape: MeshShape, machine: Machine, law: Law): SmallestCase | undefined {
  const latencies: Latencies = latenciesOf(machine);
  const programOf = (of: MeshShape): TimingProgram => timingOnly(timingProgram(of, machine));
  // A shape that makes no sense gives a program that breaks laws by itself.
  const mustBeSound = isSound(programOf(shape), latencies);
  const isBad = (of: MeshShape): boolean =>
    breaks(law, () => (!mustBeSound || isSound(programOf(of), latencies)) && timeProgram(programOf(of), latencies));
  if (!isBad(shape)) return undefined;
  const smallest = smallestThat(shape, (of) => smallerShapes(of), isBad);
  const note = `${lawNote(law)} ${JSON.stringify(smallest)}`;
  return fileOf({ kernel: 'program', program: programOf(smallest), latencies }, note);
}

/** The step alone, on a wafer of which nothing is asked but to time it. */
function stepFile(shape: StepShape, machine: Machine, law: Law, { time }: StepTimes): SmallestCase {
  const smallest = smallestThat(
    shape,
    (of) => smallerShapes(of),
    (of) => breaks(law, () => time(of, machine)),
  );
  const program: Program = {
    format: PROGRAM_FORMAT,
    name: lawNote(law),
    machine,
    mapping: {
      columns: 'cols' in smallest ? smallest.cols : 1,
      groups: 1,
      tokensPerPe: 1,
      accumulators: 1,
      rows: 'rows' in smallest ? smallest.rows : 1,
      rowsPerSequence: 1,
      passes: 1,
      accumulate: 'fp16',
      causal: true,
      keyBlock: 1,
      logitSlice: 1,
    },
    tokens: 1,
    operators: [{ name: shape.kernel, kind: 'residual', steps: [{ shape: smallest, repeat: 1, copies: 1 }] }],
    memory: { operator: shape.kernel, items: [], bytes: 1, sramBytes: machine.memory.sramBytes },
  };
  return {
    stem: shape.kernel,
    suffix: '.program',
    content: encodeProgram(program),
    before: 'run',
    after: '--no-twins',
  };
}
