// A plan for programs: as CSV one line a stage and one for the whole. What a line does not have is empty.

import { csvLine } from '../report/csv.ts';
import type { PlanReport } from './report.ts';
import type { Amounts, PhaseResult, StageResult } from './run.ts';

type Row = readonly (readonly [name: string, value: string | number | null])[];

export function planCsv({ phases, total }: PlanReport): string {
  const stages = phases.flatMap((phase) =>
    phase.stages.map((stage, i) => [...stageRow(phase, stage, i + 1), ...amountsRow(stage)]),
  );
  const [first] = stages;
  const whole: Row = [...stageRow(null, null, null), ...amountsRow(total)];
  const lines = [first.map(([name]) => name), ...[...stages, whole].map((row) => row.map(([, value]) => value))];
  return lines.map(csvLine).join('');
}

function stageRow(phase: PhaseResult | null, stage: StageResult | null, number: number | null): Row {
  const usual = stage?.kinds[0] ?? null;
  return [
    ['phase', phase?.name ?? 'total'],
    ['kind', phase?.kind ?? null],
    ['stage', number],
    ['sparsity', stage?.sparsity.value ?? null],
    ['batch', phase?.batch ?? null],
    ['sequence', phase?.sequence ?? null],
    ['updates', stage?.updates ?? null],
    ['cyclesPerStep', usual?.wafer.cycles ?? null],
    ['secondsPerStep', usual?.systems.seconds ?? null],
    ['edgeSecondsPerStep', usual?.systems.edgeSeconds ?? null],
    ['boundBy', usual?.systems.boundBy ?? null],
  ];
}

function amountsRow({ steps, tokens, flops, denseFlops, waferSeconds, gpu, energy }: Amounts): Row {
  const [least, most] = energy.systemJoules ?? [null, null];
  return [
    ['steps', steps],
    ['tokens', tokens],
    ['flops', flops],
    ['denseFlops', denseFlops],
    ['waferSeconds', waferSeconds],
    ['tokensPerSecond', tokens / waferSeconds],
    ...gpu.map(({ kappa, seconds }): Row[number] => [`gpuSeconds kappa ${kappa}`, seconds]),
    ['overGpu', gpu[0].seconds / waferSeconds],
    ['waferJoules', energy.waferJoules],
    ['systemJoulesLeast', least],
    ['systemJoulesMost', most],
  ];
}
