// The report on a terminal, at most 100 columns: first what the user came for, then one line an operator with what bounds
// it and what would help, what each effect costs, the memory of the fullest PE, and what is not modelled.

import type { ChalkInstance } from 'chalk';
import type { OperatorKind } from '../compiler/graph/graph.ts';
import type { Mapping } from '../compiler/mapping/mapping.ts';
import type { MemoryUse } from '../compiler/mapping/memoryUse.ts';
import { effectTable } from './effects.ts';
import { energyText } from './energy.ts';
import { heatMapLines } from './heatMap.ts';
import { accumulatorsText } from '../kernels/spmm/accumulators.ts';
import type { OperatorMap } from '../run/waferMap.ts';
import type { Fabric } from './machine.ts';
import { count, duration, percent, scaled, times, wrapped } from './numbers.ts';
import { operatorTable } from './operatorTable.ts';
import type { Report, Totals } from './report.ts';

const WIDTH = 100;
const HASH_DIGITS = 16;

/** With the counts of every PE, and colours, a picture of the wafer is in it. */
export function terminalReport(
  report: Report,
  colours: ChalkInstance,
  map: readonly OperatorMap[] | null = null,
): string {
  const lines = [
    ...headline(report, colours),
    '',
    ...speedups(report, colours),
    '',
    ...clocks(report),
    ...labelled('mapping', mappingText(report.mapping, report.operators, report.machine.constants.fabric)),
    ...differences(report),
    '',
    ...operatorTable(report.operators, report.mapping.passes, colours),
    ...effectLines(report.effects, colours),
    ...(map === null
      ? []
      : heatMapLines({ map, mapping: report.mapping, fabric: report.machine.constants.fabric }, colours)),
    ...memoryLines(report.memory),
    ...labelled('energy', energyText(report.energy)),
    ...labelled('not modelled', shortNotModelled(report)),
    ...hostLines(report),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

const LABEL = 15;

export function labelled(label: string, text: string): string[] {
  return wrapped(text, WIDTH, label.padEnd(LABEL));
}

function headline({ model, machine }: Report, colours: ChalkInstance): string[] {
  const { workload, sparsity } = model;
  const zeros =
    sparsity.value === 0 ? 'dense' : `${percent(sparsity.value)} of the weights zero, seed ${sparsity.seed}`;
  const text = `${model.name}: ${workload.kind} of ${workload.batch} x ${workload.sequence} tokens, ${zeros}, on ${machine.name}`;
  return wrapped(text, WIDTH, '').map((line) => colours.bold(line));
}

function speedups({ speedup, gpu }: Report, colours: ChalkInstance): string[] {
  const { overGpu, gpusEqualled, overDenseWafer, overDenseWaferSameMapping, ideal } = speedup;
  const row = (what: string, factor: number | null, note: string): string =>
    `${what.padEnd(38)}${colours.bold(times(factor).padStart(10))}  ${note}`.trimEnd();
  return [
    colours.bold('speed-up'),
    row(`  over one ${gpu.displayName}`, overGpu, `dense; it equals ${gpusEqualled.toFixed(1)} of them (kappa 1)`),
    row(
      '  over the same wafer dense',
      overDenseWafer,
      `${times(overDenseWaferSameMapping)} in the mapping of this run`,
    ),
    row('  ideal', ideal, '1 / (share of the multiply-adds left)'),
  ];
}

function clocks({ wafer, waferDense, gpu, machine }: Report): string[] {
  const { clockHz } = machine.constants;
  return [
    `wafer          ${speed(wafer)}   ${count(wafer.cycles)} cycles at ${clockHz / 1e9} GHz, utilisation ${percent(wafer.utilisation)}`,
    `wafer dense    ${speed(waferDense)}   ${count(waferDense.cycles)} cycles, utilisation ${percent(waferDense.utilisation)}`,
    `GPU dense      ${speed(gpu)}   its kernels, summed${gpu.kappa.map(kappaText).join('')}`,
  ];
}

function speed({ seconds, tokensPerSecond }: Pick<Totals, 'seconds' | 'tokensPerSecond'>): string {
  return `${duration(seconds).padStart(9)}  ${`${scaled(tokensPerSecond)} tokens/s`.padStart(18)}`;
}

/** What it would take if its steps were longer than their kernels. */
function kappaText({ kappa, seconds }: Report['gpu']['kappa'][number]): string {
  return kappa === 1 ? '' : `; ${duration(seconds)} at kappa ${kappa}`;
}

/** `operators` say whether there is attention, which alone cares for sequences. */
export function mappingText(
  mapping: Mapping & { readonly padding: number },
  operators: readonly { readonly kind: OperatorKind }[],
  fabric: Fabric,
): string {
  const { columns, groups, rows, tokensPerPe, accumulators, passes, accumulate, padding } = mapping;
  const attends = operators.some(({ kind }) => kind === 'scores');
  const causal = mapping.causal ? 'causal work only' : 'attention to all tokens';
  return [
    `C ${columns} columns x ${groups} ${groups === 1 ? 'group' : 'groups'}`,
    attends ? `${rows} rows (${mapping.rowsPerSequence} a sequence)` : `${rows} rows`,
    `T ${tokensPerPe} tokens a PE`,
    `K ${accumulatorsText(accumulators)} accumulators`,
    `${accumulate} sums`,
    ...(attends ? [causal] : []),
    `${passes} ${passes === 1 ? 'pass' : 'passes'}`,
    `${count(padding)} slots of padding`,
    `${percent((columns * groups * rows) / (fabric.width * fabric.height))} of the PEs of the wafer in use`,
  ].join(', ');
}

/** Constants of the machine unlike its preset. */
function differences({ machine }: Report): string[] {
  const { preset, differs } = machine;
  if (preset === null)
    return labelled('machine', `all ${differs.length} constants from ${machine.file ?? 'the model file'}`);
  if (differs.length === 0) return [];
  return labelled(
    `unlike ${preset}`,
    differs.map((one) => `${one.path} ${String(one.value)} (${String(one.preset)})`).join(', '),
  );
}

/** Between the operators and the memory; without twins an empty line alone. */
export function effectLines(effects: Report['effects'], colours: ChalkInstance): string[] {
  return effects === null ? [''] : ['', ...effectTable(effects, colours)];
}

export function memoryLines({ operator, bytes, sramBytes, items }: MemoryUse): string[] {
  const parts = items.toSorted((a, b) => b.bytes - a.bytes).map((item) => `${item.what} ${count(item.bytes)}`);
  const used = `${count(bytes)} of ${count(sramBytes)} bytes (${percent(bytes / sramBytes)}) on the fullest PE, in ${operator}:`;
  return labelled('memory', `${used} ${parts.join(', ')}`);
}

/** The first words of each: what stands before the colon. */
function shortNotModelled({ notModelled }: Report): string {
  return `${notModelled.map((sentence) => sentence.split(':')[0]).join('; ')} (in full with --json)`;
}

function hostLines({ hashes, run }: Report): string[] {
  const engines = run.engines.map(({ path, kernels, why }) => `${kernels} ${path}${why === '' ? '' : ` (${why})`}`);
  const { input, program, result } = hashes;
  return [
    ...labelled('hashes', `input ${short(input)}, program ${short(program)}, result ${short(result)}`),
    ...labelled('kernels', engines.join(', ')),
    ...labelled(
      'host',
      `${run.wallSeconds.toFixed(1)} s with ${run.workers} ${run.workers === 1 ? 'worker' : 'workers'}, ` +
        `${scaled(run.equivalentPeCyclesPerSecond)} equivalent PE-cycles a second`,
    ),
  ];
}

function short(hash: string): string {
  return hash.slice(0, HASH_DIGITS);
}
