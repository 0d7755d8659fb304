// What the mapper found, as one document, as tables of at most 100 columns, and as a file to edit and give back.

import type { ChalkInstance } from 'chalk';
import { hasAttention } from '../compiler/mapping/fit.ts';
import { type Graph } from '../compiler/graph/graph.ts';
import type { Mapping } from '../compiler/mapping/mapping.ts';
import type { ModelSpec } from '../compiler/model/spec.ts';
import { accumulatorsText } from '../kernels/spmm/accumulators.ts';
import { boundOf } from '../run/bound.ts';
import type { Survey } from '../run/mapper/survey.ts';
import type { Judged } from '../run/mapper/search.ts';
import type { Bound } from '../run/result.ts';
import { count, duration, percent, scaled, wrapped } from './numbers.ts';
import { type Column, plainTable } from './plainTable.ts';
import { type Totals, totals } from './report.ts';
import { labelled } from './terminal.ts';

const WIDTH = 100;

export interface MappingLine extends Totals {
  readonly mapping: Mapping;
  readonly boundBy: Bound;
  /** Of the fullest PE. */
  readonly bytes: number;
}

export interface MappingReport {
  readonly model: string;
  readonly machine: string;
  readonly sramBytes: number;
  /** The whole run of the mapping that is taken. */
  readonly chosen: MappingLine;
  /** Cycles of these, and of the front, count every layer as the first. */
  readonly best: readonly MappingLine[];
  readonly front: readonly MappingLine[];
  readonly counts: Survey['counts'];
  readonly leastRuledOut: number | null;
  readonly leastOfOwn: number;
}

export function mappingReport(spec: ModelSpec, survey: Survey): MappingReport {
  const { machine } = spec.machine;
  const { chosen, wafer, counts, leastRuledOut, leastOfOwn } = survey;
  const line = ({ mapping, bytes, cycles, where }: Judged): MappingLine => {
    const seconds = cycles / machine.clockHz;
    const { width, height } = machine.fabric;
    return {
      mapping,
      cycles,
      seconds,
      tokensPerSecond: spec.workload.tokens / seconds,
      utilisation: where.compute / (cycles * width * height),
      boundBy: boundOf(where),
      bytes,
    };
  };
  return {
    model: spec.name,
    machine: machine.name,
    sramBytes: machine.memory.sramBytes,
    chosen: { ...line(chosen), ...totals(wafer) },
    best: survey.best.map(line),
    front: survey.front.map(line),
    counts,
    leastRuledOut,
    leastOfOwn,
  };
}

const COLUMNS: readonly Column[] = [
  { head: 'C', align: 'right' },
  { head: 'groups', align: 'right' },
  { head: 'T', align: 'right' },
  { head: 'rows', align: 'right' },
  { head: 'passes', align: 'right' },
  { head: 'K', align: 'left' },
  { head: 'cycles', align: 'right' },
  { head: 'time', align: 'right' },
  { head: 'tokens/s', align: 'right' },
  { head: 'util.', align: 'right' },
  { head: 'bytes', align: 'right' },
  { head: 'bound by', align: 'left' },
];

function row({ mapping, cycles, seconds, tokensPerSecond, utilisation, boundBy, bytes }: MappingLine): string[] {
  const { columns, groups, tokensPerPe, rows, passes, accumulators } = mapping;
  return [
    ...[columns, groups, tokensPerPe, rows, passes].map(String),
    rangeOf(accumulators),
    count(cycles),
    duration(seconds),
    scaled(tokensPerSecond),
    percent(utilisation).replace(' ', ''),
    count(bytes),
    boundBy,
  ];
}

/** `32-128` where matmuls have different numbers of accumulators. */
function rangeOf(accumulators: Mapping['accumulators']): string {
  if (typeof accumulators === 'number') return String(accumulators);
  const all = Object.values(accumulators);
  const [least, most] = [Math.min(...all), Math.max(...all)];
  return least === most ? String(least) : `${least}-${most}`;
}

export function mappingText(report: MappingReport, colours: ChalkInstance): string {
  const { model, machine, chosen, best, front, sramBytes } = report;
  const table = (lines: readonly MappingLine[]): string[] => plainTable(COLUMNS, lines.map(row), colours);
  const lines = [
    colours.bold(`${model} on ${machine}: the best mappings that ran`),
    '',
    ...table(best),
    '',
    colours.bold(`time against SRAM of a PE, of ${count(sramBytes)} bytes`),
    '',
    ...table(front),
    '',
    ...labelled('taken', `the first one: ${count(chosen.cycles)} cycles, ${duration(chosen.seconds)}, all layers run`),
    ...labelled('accumulators', accumulatorsText(chosen.mapping.accumulators)),
    ...gradientLines(chosen.mapping),
    ...labelled('search', searchText(report)),
    ...labelled('not searched', notSearched(report)),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function gradientLines({ gradients }: Mapping): string[] {
  if (gradients === undefined) return [];
  const { buffers, sums } = gradients;
  return labelled('gradients', `by weights: room for ${buffers} on their way and ${count(sums)} sums of products a PE`);
}

function searchText({ counts, leastRuledOut }: MappingReport): string {
  const { fitting, ran, ruledOut, open, tooDear } = counts;
  const least = leastRuledOut === null ? '' : `, none of which can stay under ${count(leastRuledOut)} cycles`;
  return [
    `${count(fitting)} mappings fit; ${count(ran)} ran, every layer counted as the first`,
    `${count(ruledOut)} were ruled out by a bound${least}`,
    ...(open > 0 ? [`${count(open)} are open: the search ends at a limit of work`] : []),
    ...(tooDear > 0
      ? [`${count(tooDear)} with few tokens a PE are too much work to run exactly; to have one, give it as tokensPerPe`]
      : []),
  ].join('; ');
}

function notSearched({ best, leastOfOwn }: MappingReport): string {
  const [{ cycles }] = best;
  return (
    'columns and tokens of its own for each operator, because no kernel moves data between them: ' +
    `were moving free, it could save at most ${percent(1 - leastOfOwn / cycles)}`
  );
}

/** A mapping as `--mapping` takes it. */
export function mappingFile({ model, machine, chosen }: MappingReport, graph: Graph): string {
  const { columns, groups, tokensPerPe, rows, accumulators, accumulate, causal, gradients } = chosen.mapping;
  const fields: readonly (readonly [name: string, value: unknown, what: string])[] = [
    ['columns', columns, 'C, columns of a group'],
    ['groups', groups, 'side by side, at most'],
    ['tokensPerPe', tokensPerPe, 'T, tokens a PE holds'],
    ['rows', rows, 'at most'],
    ['accumulators', accumulators, 'K, sums at a time: of all matmuls, or of each'],
    ['accumulate', accumulate, 'type of the sums: fp16 or fp32'],
    ...(hasAttention(graph) ? ([['causal', causal, 'attention skips what the causal mask hides']] as const) : []),
    ...(gradients === undefined
      ? []
      : ([['gradients', gradients, 'by weights: on their way, and sums of products, a PE']] as const)),
  ];
  const head = [
    `${printable(model)} on ${printable(machine)}: ${count(chosen.cycles)} cycles, found by emulate map.`,
    'To be edited and given back with --mapping. What is left out is chosen anew.',
  ];
  return [
    ...head.flatMap((text) => wrapped(text, WIDTH, '// ')).map((line) => line.replace(/^ {3}/, '// ')),
    '{',
    ...fields.map(([name, value, what], i) => {
      const comma = i + 1 < fields.length ? ',' : '';
      return `  ${JSON.stringify(name)}: ${spaced(value)}${comma} // ${what}`;
    }),
    '}',
    '',
  ].join('\n');
}

function spaced(value: unknown): string {
  return JSON.stringify(value, null, 1).replaceAll(/\s*\n\s*/g, ' ');
}

/** A name must not end the comment that it stands in. */
function printable(name: string): string {
  return name.replaceAll(/\s+/g, ' ');
}
