// A plan on a terminal, at most 100 columns: a line a stage and one for the whole, first the work and then the time that it
// takes; the steps that were run and what binds them, the energy, and what is not modelled.

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
    ...amountTable(report, WORK_COLUMNS, workCells, colours),
    '',
    ...amountTable(report, TIME_COLUMNS, timeCells, colours),
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

const WORK_COLUMNS: readonly Column[] = [
  { head: 'work', align: 'left' },
  { head: 'zeros', align: 'right' },
  { head: 'batch', align: 'right' },
  { head: 'steps', align: 'right' },
  { head: 'tokens', align: 'right' },
  { head: 'exaFLOP', align: 'right' },
  { head: 'of dense', align: 'right' },
];

const TIME_COLUMNS: readonly Column[] = [
  { head: 'time', align: 'left' },
  { head: 'wafer', align: 'right' },
  { head: 'tokens/s', align: 'right' },
  { head: 'GPU', align: 'right' },
  { head: 'x 1.25', align: 'right' },
  { head: 'over GPU', align: 'right' },
  { head: 'energy, at most', align: 'right' },
];

const LONGEST_NAME = 24;

/** A line a stage and one for the whole, which is bold. */
function amountTable(
  { phases, total }: PlanReport,
  columns: readonly Column[],
  cellsOf: (amounts: Amounts, phase: PhaseResult | null, stage: StageResult | null) => string[],
  colours: ChalkInstance,
): string[] {
  const rows = phases.flatMap((phase) =>
    phase.stages.map((stage, i) => [nameOf(phase, i, LONGEST_NAME), ...cellsOf(stage, phase, stage)]),
  );
  const lines = plainTable(columns, [...rows, ['total', ...cellsOf(total, null, null)]], colours);
  return [...lines.slice(0, -1), ...lines.slice(-1).map((line) => colours.bold(line))];
}

function workCells(amounts: Amounts, phase: PhaseResult | null, stage: StageResult | null): string[] {
  const { steps, tokens, flops, denseFlops } = amounts;
  return [
    stage === null ? '' : percent(stage.sparsity.value),
    phase === null ? '' : `${phase.batch} x ${phase.sequence}`,
    count(steps),
    scaled(tokens),
    exaflops(flops),
    percent(flops / denseFlops),
  ];
}

/** The GPU at the two kappas; the energy of systems, nothing where that is not known. */
function timeCells({ tokens, waferSeconds, gpu, energy }: Amounts): string[] {
  return [
    longDuration(waferSeconds),
    scaled(tokens / waferSeconds),
    ...gpu.map(({ seconds }) => longDuration(seconds)),
    times(gpu[0].seconds / waferSeconds),
    energy.systemJoules === null ? '' : wattHours(energy.systemJoules[1]),
  ];
}

/** Only the first line of a phase has its name. */
function nameOf({ name }: PhaseResult, line: number, longest: number): string {
  const text = printable(name);
  if (line > 0) return '';
  return text.length > longest ? `${text.slice(0, longest - 3)}...` : text;
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
    nameOf(phase, i + j, LONGEST_NAME),
    what === 'update' ? `update x${count(steps)}` : kindText(phase, stage),
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

function gpuText({ gpu }: PlanReport): string {
  return `one ${gpu.displayName}, dense: its kernels summed (kappa 1, generous to it), and 1.25 times that, as steps are measured; over GPU is at kappa 1`;
}

function energyText({ total, machine, systems, systemWatts }: PlanReport): string {
  const wafers = `${wattHours(total.energy.waferJoules)} of ${systems === 1 ? 'the wafer' : 'the wafers'} by the energy table of ${machine.name}`;
  if (total.energy.systemJoules === null || systemWatts === null)
    return `estimate: ${wafers}; what a whole system of this machine draws is not known`;
  const [least, most] = total.energy.systemJoules.map(wattHours);
  const [from, to] = systemWatts.map((watts) => watts / 1000);
  const whose = systems === 1 ? 'a system' : `${count(systems)} systems`;
  return `estimate: ${least} to ${most} of ${whose} at ${from} to ${to} kW (data sheets), of them ${wafers}`;
}

function wattHours(joules: number): string {
  const text = scaled(joules / 3600);
  return text.includes(' ') ? `${text}Wh` : `${text} Wh`;
}

function hostText({ wallSeconds, workers, stepsRun }: PlanReport['run']): string {
  const threads = workers === 1 ? '1 worker' : `${workers} workers`;
  return `${stepsRun} ${stepsRun === 1 ? 'step' : 'different steps'} run, ${wallSeconds.toFixed(1)} s with ${threads}`;
}
