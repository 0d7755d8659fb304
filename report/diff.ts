// Two reports, as --json writes them, against each other: what was run, on which machine, in which mapping, the totals, and
// every operator. Layers at the same place that moved are told together. Names, files and the host are not compared.

import { z } from 'zod';
import { type Document } from '../compiler/model/document.ts';
import { validate } from '../compiler/model/validate.ts';
import { CAUSES, type Where } from '../emulator/program/causes.ts';
import {
  type Differences,
  type Fact,
  factsOf,
  largestFirst,
  movedNumbers,
  type MovedOperator,
  type ReadCounts,
} from './moves.ts';
import { placeOf } from './operatorTable.ts';
import { REPORT_FORMAT } from './report.ts';

const values = z.record(z.string(), z.unknown());

const totals = z.looseObject({ cycles: z.number() });

/** Of a report what is compared; that of `emulate run` has no more than the wafer. */
const report = z.looseObject({
  format: z.literal(REPORT_FORMAT).optional(),
  model: values.optional(),
  program: values.optional(),
  machine: z.looseObject({ constants: values }).optional(),
  mapping: values,
  wafer: totals,
  waferDense: totals.extend({ mapping: values, sameMapping: totals }).optional(),
  gpu: z.looseObject({ name: z.string(), seconds: z.number() }).optional(),
  speedup: values.optional(),
  operators: z.array(
    z.looseObject({
      name: z.string(),
      cycles: z.number().optional(),
      where: z.partialRecord(z.enum(CAUSES), z.number()).optional(),
    }),
  ),
  memory: z.looseObject({ operator: z.string(), bytes: z.number() }),
  hashes: z.looseObject({ result: z.string() }),
});

export type ReadReport = z.output<typeof report>;

export function readReport(document: Document): ReadReport {
  return validate(document, report);
}

export function diffReports(was: ReadReport, now: ReadReport): Differences {
  const facts = factsOf('', comparedOf(was), comparedOf(now));
  const moves = largestFirst(movedLayers(countsOf(was), countsOf(now)));
  if (facts.length > 0 || moves.length > 0) return { facts, moves };
  return { facts: factsOf('hashes.result', was.hashes.result, now.hashes.result), moves };
}

function comparedOf({ model, program, machine, mapping, wafer, waferDense, gpu, speedup, memory }: ReadReport) {
  const { name: _model, ...inputs } = model ?? {};
  const { name: _machine, ...constants } = machine?.constants ?? {};
  return {
    ...inputs,
    program: { fabric: program?.fabric, tokens: program?.tokens },
    machine: constants,
    mapping,
    wafer: { cycles: wafer.cycles },
    waferDense: waferDense && {
      cycles: waferDense.cycles,
      mapping: waferDense.mapping,
      sameMapping: { cycles: waferDense.sameMapping.cycles },
    },
    gpu: gpu && { name: gpu.name, seconds: gpu.seconds },
    speedup,
    memory: { operator: memory.operator, bytes: memory.bytes },
  } satisfies Record<string, Fact['was']>;
}

type Counts = ReadonlyMap<string, ReadCounts>;

function countsOf({ operators }: ReadReport): Counts {
  return new Map(operators.map(({ name, cycles, where }) => [name, { cycles, where }]));
}

/** The operators of one place that moved, or that only one side has. */
interface Group {
  readonly place: string;
  readonly names: string[];
}

const exactly = (): boolean => false;

function movedLayers(was: Counts, now: Counts): MovedOperator[] {
  const names = [...new Set([...was.keys(), ...now.keys()])];
  const groups = new Map<string, Group>();
  for (const name of names) {
    if (movedNumbers(was.get(name), now.get(name), exactly).length === 0) continue;
    const place = placeOf(name);
    const key = `${place} ${was.has(name)} ${now.has(name)}`;
    const group = groups.get(key) ?? { place, names: [] };
    groups.set(key, group);
    group.names.push(name);
  }
  return [...groups.values()].flatMap((group) => movedGroup(group, was, now, names));
}

function movedGroup({ place, names }: Group, was: Counts, now: Counts, all: readonly string[]): MovedOperator[] {
  const one = (operator: string): MovedOperator => ({
    operator,
    layers: '',
    numbers: movedNumbers(was.get(operator), now.get(operator), exactly),
  });
  if (names.length === 1) return names.map(one);
  const numbers = movedNumbers(sumOf(names, was), sumOf(names, now), exactly);
  // Moves that cancel out are still moves.
  if (numbers.length === 0) return names.map(one);
  const layers = all.filter((name) => placeOf(name) === place).length;
  return [
    { operator: place, layers: layers === names.length ? `x${layers}` : `${names.length} of ${layers}`, numbers },
  ];
}

/** A number that one of them lacks, the sum lacks. */
function sumOf(names: readonly string[], counts: Counts): ReadCounts | undefined {
  const given = names.map((name) => counts.get(name));
  const own = given.filter((one) => one !== undefined);
  if (own.length < given.length) return own.length === 0 ? undefined : {};
  const where: Partial<Where> = {};
  for (const cause of CAUSES) {
    const sum = total(own.map((one) => one.where?.[cause]));
    if (sum !== undefined) where[cause] = sum;
  }
  return { cycles: total(own.map(({ cycles }) => cycles)), where };
}

function total(numbers: readonly (number | undefined)[]): number | undefined {
  return numbers.reduce((sum, each) => (sum === undefined || each === undefined ? undefined : sum + each), 0);
}
