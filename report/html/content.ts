// What a page shows: of a model with the GPU and the dense wafer beside it, or of a program alone.

import { secondsWithZeros } from '../../baselines/gpu/zeros.ts';
import type { Program } from '../../compiler/lower/program.ts';
import type { Mapping } from '../../compiler/mapping/mapping.ts';
import type { GpuName } from '../../compiler/model/spec.ts';
import type { MemoryUse } from '../../compiler/mapping/memoryUse.ts';
import { edgeWaveletsPerCycle, type Machine, withBankConflicts } from '../../emulator/machine/spec.ts';
import { internalError } from '../../emulator/errors.ts';
import type { MainResult } from '../../run/main.ts';
import type { OperatorMap } from '../../run/waferMap.ts';
import type { EnergyReport } from '../energy.ts';
import { percent } from '../numbers.ts';
import { idealSpeedup, type Report, type ReportedOperator, type Totals } from '../report.ts';
import type { WaferReport } from '../wafer.ts';

export interface PageContent {
  readonly title: string;
  readonly subtitle: string;
  readonly machine: Machine;
  readonly edgeWordsPerCycle: number;
  readonly mapping: Mapping & { readonly padding: number };
  readonly wafer: Totals;
  readonly operators: readonly ReportedOperator[];
  readonly memory: MemoryUse;
  readonly energy: EnergyReport;
  readonly map: readonly OperatorMap[];
  /** Null where there is nothing to compare with. */
  readonly compared: Compared | null;
  readonly hashes: readonly (readonly [name: string, hash: string])[];
  readonly notModelled: readonly string[];
}

export interface Compared {
  readonly speedup: Report['speedup'];
  readonly gpu: string;
  readonly gpuSeconds: number;
  readonly ownSparsity: number;
  readonly curve: readonly ComparedPoint[];
}

/** A sparsity; all in the mapping of the run. */
export interface ComparedPoint {
  readonly sparsity: number;
  readonly cycles: number | null;
  readonly overDenseWafer: number | null;
  readonly overGpu: number | null;
  /** Null where no multiply-add is left. */
  readonly ideal: number | null;
  /** What the GPU gains by such zeros over itself; null where nothing is claimed. */
  readonly gpuOverItself: number | null;
}

export function contentOfModel(report: Report, { detail, spec }: Pick<MainResult, 'detail' | 'spec'>): PageContent {
  if (detail === null) throw internalError('a page of a run without its PEs');
  const { model, machine, mapping, wafer, operators, memory, energy, hashes } = report;
  const { workload, sparsity } = model;
  const zeros =
    sparsity.value === 0 ? 'dense' : `${percent(sparsity.value)} of the weights zero, seed ${sparsity.seed}`;
  return {
    title: model.name,
    subtitle: `${workload.kind} of ${workload.batch} x ${workload.sequence} tokens, ${zeros}, on ${machine.name}`,
    ...machinePart(spec.machine.machine),
    mapping,
    wafer,
    operators,
    memory,
    energy,
    map: detail.map,
    compared: comparedOf(report, spec.gpu, detail.curve),
    hashes: [
      ['input', hashes.input],
      ['program', hashes.program],
      ['result', hashes.result],
    ],
    notModelled: report.notModelled,
  };
}

export function contentOfProgram(program: Program, report: WaferReport, map: readonly OperatorMap[]): PageContent {
  const { mapping, wafer, operators, memory, energy, hashes } = report;
  return {
    title: program.name,
    subtitle: `${program.tokens.toLocaleString('en-US')} tokens on ${program.machine.name}`,
    ...machinePart(program.machine),
    mapping,
    wafer,
    operators,
    memory,
    energy,
    map,
    compared: null,
    hashes: [['result', hashes.result]],
    notModelled: [],
  };
}

function machinePart(machine: Machine): Pick<PageContent, 'machine' | 'edgeWordsPerCycle'> {
  return { machine: withBankConflicts(machine), edgeWordsPerCycle: edgeWaveletsPerCycle(machine) };
}

type Curve = NonNullable<MainResult['detail']>['curve'];

function comparedOf({ speedup, gpu, model, machine }: Report, name: GpuName, curve: Curve): Compared {
  const { clockHz } = machine.constants;
  const dense = curve[0].cycles;
  return {
    speedup,
    gpu: gpu.displayName,
    gpuSeconds: gpu.seconds,
    ownSparsity: model.sparsity.value,
    curve: curve.map(({ sparsity, cycles, graph }) => {
      const seconds = secondsWithZeros(graph, name);
      return {
        sparsity,
        cycles,
        overDenseWafer: cycles === null || dense === null ? null : dense / cycles,
        overGpu: cycles === null ? null : (gpu.seconds * clockHz) / cycles,
        ideal: idealSpeedup(graph),
        gpuOverItself: seconds === null ? null : gpu.seconds / seconds,
      };
    }),
  };
}
