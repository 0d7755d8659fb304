// The wafer's part of a report by itself: what a program file, which knows no GPU and no dense twin, comes to.

import type { ChalkInstance } from 'chalk';
import type { Program } from '../compiler/lower/program.ts';
import type { Twins, WaferResult } from '../run/result.ts';
import { type EnergyReport, energyReport, energyText } from './energy.ts';
import { type EngineCount, enginesOf } from './engines.ts';
import { sha256 } from './hash.ts';
import { type Fabric, fabricOf, sourcesOf } from './machine.ts';
import { count, duration, percent, scaled } from './numbers.ts';
import { operatorTable } from './operatorTable.ts';
import { effectsOf, type Report, reported, type ReportedOperator, type Totals, totals, withTwins } from './report.ts';
import { effectLines, labelled, mappingText, memoryLines } from './terminal.ts';

export interface WaferReport {
  readonly program: {
    readonly name: string;
    readonly machine: string;
    readonly fabric: Fabric;
    readonly tokens: number;
  };
  readonly mapping: WaferResult['mapping'] & { readonly padding: number };
  readonly wafer: Totals;
  readonly operators: readonly ReportedOperator[];
  readonly effects: Report['effects'];
  readonly memory: WaferResult['memory'];
  readonly energy: EnergyReport;
  readonly hashes: Pick<Report['hashes'], 'result' | 'twins'>;
  readonly run: { readonly engines: readonly EngineCount[] };
}

/** `twins` are those of the operators of `result`; null without. */
export function waferReport(
  { name, machine, tokens }: Program,
  result: WaferResult,
  twins: readonly Twins[] | null,
): WaferReport {
  const document = {
    program: { name, machine: machine.name, fabric: fabricOf(machine), tokens },
    mapping: { ...result.mapping, padding: result.padding },
    wafer: totals(result),
    operators: result.operators.map(reported),
    memory: result.memory,
  };
  const hashes = { result: sha256(document), twins: twins === null ? null : sha256(twins) };
  const operators = document.operators.map((operator, i) => withTwins(operator, twins?.[i]));
  const run = { engines: enginesOf(result.operators) };
  const energy = energyReport(machine, sourcesOf(machine), result);
  return { ...document, operators, effects: effectsOf(operators, result), energy, hashes, run };
}

export function waferText(report: WaferReport, colours: ChalkInstance): string {
  const { program, wafer, mapping, operators, effects, memory, energy } = report;
  const { cycles, seconds, tokensPerSecond, utilisation } = wafer;
  const lines = [
    colours.bold(`${program.name} on ${program.machine}: ${count(program.tokens)} tokens`),
    '',
    ...labelled(
      'wafer',
      `${duration(seconds)}, ${scaled(tokensPerSecond)} tokens/s, ${count(cycles)} cycles, utilisation ${percent(utilisation)}`,
    ),
    ...labelled('mapping', mappingText(mapping, operators, program.fabric)),
    '',
    ...operatorTable(operators, mapping.passes, colours),
    ...effectLines(effects, colours),
    ...memoryLines(memory),
    ...labelled('energy', energyText(energy)),
  ];
  return `${lines.join('\n')}\n`;
}
