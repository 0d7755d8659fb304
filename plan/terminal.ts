// A plan on a terminal, at most 100 columns: a line a stage and the whole, then the steps that were run and what binds them,
// the energy, and what is not modelled.

import type { ChalkInstance } from 'chalk';
import { printable } from '../compiler/model/frame.ts';
import { count, duration, percent, scaled, times } from '../report/numbers.ts';
import { type Column, plainTable } from '../report/plainTable.ts';
import { labelled } from '../report/terminal.ts';
import type { PlanReport } from './report.ts';
import type { Amounts, PhaseResult, StageResult } from './run.ts';

const HASH_DIGITS = 16;

export function planText(report: PlanReport, colours: ChalkInstance): string {
  const { name, model, machine, systems, gpu, hashes, run } = report;
  const wafers = systems === 1 ? `one ${machine.name}` : `${count(systems)} x ${machine.name}, data parallel`;
  const { input, result } = hashes;
  const lines = [
    colours.bold(`${printable(name)}: ${model.name} on ${wafers}, beside one ${gpu.displayName} dense`),
    '',
    ...phaseTable(report, colours),
    '',
    ...stepTable(report, colours),
    '',
    ...labelled('GPU', gpuText(report)),
    ...labelled('energy', energyText(report)),
    ...labelled(
      'not modelled',
      `${report.notModelled.map((each) => each.split(':')[0]).join('; ')} (in full with --json)`,
    ),
    ...labelled('hashes', `input ${input.slice(0, HASH_DIGITS)}, result ${result.slice(0, HASH_DIGITS)}`),
    ...labelled('host', hostText(run)),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

const PHASE_COLUMNS: readonly Column[] = [
  { head: 'phase', align: 'left' },
  { head: 'zeros', align: 'right' },
  { head: 'steps', align: 'right' },
  { head: 'tokens', align: 'right' },
  { head: 'exaFLOP', align: 'right' },
  { head: 'of dense', align: 'right' },
  { head: 'wafer', align: 'right' },
  { head: 'tokens/s', align: 'right' },
  { head: 'over GPU', align: 'right' },
];

function phaseTable({ phases, total }: PlanReport, colours: ChalkInstance): string[] {
  const rows = phases.flatMap((phase) =>
    phase.stages.map((stage, i) => [nameOf(phase, i, 22), percent(stage.sparsity.value), ...amountCells(stage)]),
  );
  const lines = plainTable(PHASE_COLUMNS, [...rows, ['total', '', ...amountCells(total)]], colours);
  return [...lines.slice(0, -1), ...lines.slice(-1).map((line) => colours.bold(line))];
}

/** Only the first line of a phase has its name. */
function nameOf({ name }: PhaseResult, line: number, longest: number): string {
  const text = printable(name);
  if (line > 0) return '';
  return text.length > longest ? `${text.slice(0, longest - 3)}...` : text;
}

function amountCells({ steps, tokens, flops, denseFlops, waferSeconds, gpu }: Amounts): string[] {
  return [
    count(steps),
    scaled(tokens),
    exaflops(flops),
    percent(flops / denseFlops),
    longDuration(waferSeconds),
    scaled(tokens / waferSeconds),
    times(gpu[0].seconds / waferSeconds),
  ];
}

/** Five digits, as papers print them and one more. */
function exaflops(flops: number): string {
  return (flops / 1e18).toPrecision(5);
}

/** What takes seconds to months. */
function longDuration(seconds: number): string {
  const units = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
  ] as const;
  const unit = units.find(([length]) => seconds >= 2 * length);
  return unit === undefined ? duration(seconds) : `${(seconds / unit[0]).toPrecision(4)} ${unit[1]}`;
}

const STEP_COLUMNS: readonly Column[] = [
  { head: 'one step', align: 'left' },
  { head: 'kind', align: 'left' },
  { head: 'batch', align: 'right' },
  { head: 'cycles', align: 'right' },
  { head: 'passes', align: 'right' },
  { head: 'wafer', align: 'right' },
  { head: 'edge', align: 'right' },
  { head: 'bound by', align: 'left' },
];

function stepTable({ phases }: PlanReport, colours: ChalkInstance): string[] {
  const rows = phases.flatMap((phase) => phase.stages.flatMap((stage, i) => stepRows(phase, stage, i)));
  return plainTable(STEP_COLUMNS, rows, colours);
}

function stepRows(phase: PhaseResult, stage: StageResult, i: number): string[][] {
  return stage.kinds.map(({ what, steps, wafer, systems }, j) => [
    nameOf(phase, i + j, 16),
    what === 'update' ? `update x${count(steps)}` : kindText(phase, stage),
    `${phase.batch} x ${phase.sequence}`,
    count(wafer.cycles),
    count(wafer.passes),
    duration(systems.waferSeconds),
    duration(systems.edgeSeconds),
    systems.boundBy,
  ]);
}

function kindText({ kind, dynamic, lora }: PhaseResult, { sparsity }: StageResult): string {
  if (lora !== null) return `LoRA, rank ${lora.rank}`;
  if (dynamic !== null) return dynamic.method === 'set' ? 'SET' : 'RigL';
  return kind === 'redensification' ? `${percent(sparsity.value)} zero` : kind;
}

function gpuText({ total, gpu }: PlanReport): string {
  const each = total.gpu.map(({ kappa, seconds }) => `${longDuration(seconds)} at kappa ${kappa}`);
  return `${each.join(', ')} on one ${gpu.displayName}, dense: its kernels, summed; over GPU is at kappa 1`;
}

function energyText({ total, machine, systems, systemWatts }: PlanReport): string {
  const ofCycle = `${machine.constants.energy.joulesPerCoreCycle * 1e12} pJ a cycle`;
  const cores = `${wattHours(total.energy.coreJoules)} of cores that issue (${ofCycle})`;
  if (total.energy.systemJoules === null || systemWatts === null)
    return `estimate: ${cores}; what a whole system of this machine draws is not known`;
  const [least, most] = total.energy.systemJoules.map(wattHours);
  const [from, to] = systemWatts.map((watts) => watts / 1000);
  const whose = systems === 1 ? 'a system' : `${count(systems)} systems`;
  return `estimate: ${least} to ${most} of ${whose} at ${from} to ${to} kW (data sheets), of them ${cores}`;
}

function wattHours(joules: number): string {
  return `${scaled(joules / 3600)}Wh`;
}

function hostText({ wallSeconds, workers, stepsRun }: PlanReport['run']): string {
  const threads = workers === 1 ? '1 worker' : `${workers} workers`;
  return `${stepsRun} ${stepsRun === 1 ? 'step' : 'different steps'} run, ${wallSeconds.toFixed(1)} s with ${threads}`;
}
