// The wafer's part of a report by itself: what a program file, which knows no GPU and no dense twin, comes to.

import type { ChalkInstance } from 'chalk';
import type { Program } from '../compiler/lower/program.ts';
import type { WaferResult } from '../run/result.ts';
import { type EngineCount, enginesOf } from './engines.ts';
import { sha256 } from './hash.ts';
import { type Fabric, fabricOf } from './machine.ts';
import { count, duration, percent, scaled } from './numbers.ts';
import { operatorTable } from './operatorTable.ts';
import { type ReportedOperator, reported, type Totals, totals } from './report.ts';
import { labelled, mappingText, memoryLines } from './terminal.ts';

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
  readonly memory: WaferResult['memory'];
  readonly hashes: { readonly result: string };
  readonly run: { readonly engines: readonly EngineCount[] };
}

export function waferReport({ name, machine, tokens }: Program, result: WaferResult): WaferReport {
  const document = {
    program: { name, machine: machine.name, fabric: fabricOf(machine), tokens },
    mapping: { ...result.mapping, padding: result.padding },
    wafer: totals(result),
    operators: result.operators.map(reported),
    memory: result.memory,
  };
  return { ...document, hashes: { result: sha256(document) }, run: { engines: enginesOf(result.operators) } };
}

export function waferText({ program, wafer, mapping, operators, memory }: WaferReport, colours: ChalkInstance): string {
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
    '',
    ...memoryLines(memory),
  ];
  return `${lines.join('\n')}\n`;
}
