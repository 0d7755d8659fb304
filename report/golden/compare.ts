// A result against its golden. A number may move only as far as the golden's own `tolerance` says, by the longest of its
// keys that the path of the number starts with; without one, not at all.

import { failureOf } from '../../compiler/model/located.ts';
import { CAUSES } from '../../emulator/program/causes.ts';
import {
  type Differences,
  type Fact,
  factsOf,
  largestFirst,
  type MovedOperator,
  movesOf,
  type NumberName,
  type Operators,
  type ReadCounts,
} from '../moves.ts';
import type { Golden, StoredResult } from './document.ts';
import type { GoldenResult } from './result.ts';

/** The operator that stands for all of them. */
export const ALL = 'all';

function isAll({ operator }: MovedOperator): boolean {
  return operator === ALL;
}

/** What moved; throws (exit 2) where a tolerance names no number. */
export function compareGolden(golden: Golden, now: GoldenResult): Differences {
  const { tolerance, result } = golden;
  const was = result ?? {};
  refuseUnknown(golden, [...pathsOf(operatorsOf(was)), ...pathsOf(operatorsOf(now))]);
  const facts = (['inputs', 'machine', 'mapping'] as const).flatMap((part) => factsOf(part, was[part], now[part]));
  const moves = movesOf(operatorsOf(was), operatorsOf(now), (operator, number, before, after) => {
    const allowed = allowedBy(tolerance, pathOf(operator, number));
    return Math.abs(after - before) <= allowed * before;
  });
  const ordered = [...moves.filter(isAll), ...largestFirst(moves.filter((move) => !isAll(move)))];
  if (facts.length > 0 || moves.length > 0) return { facts, moves: ordered };
  return { facts: hashMoved(golden, now), moves };
}

/** Counts may have moved in layers, or bytes, and no sum with them. Where numbers may move, a hash says nothing. */
function hashMoved({ tolerance, result }: Golden, { hash }: GoldenResult): Fact[] {
  if (Object.keys(tolerance).length > 0 && result?.hash !== undefined) return [];
  return factsOf('hash', result?.hash, hash);
}

function operatorsOf({ cycles, where, operators }: StoredResult): Operators {
  return { [ALL]: { cycles, where }, ...operators };
}

/** As a tolerance spells it. */
function pathOf(operator: string, number: NumberName): string {
  const holder = operator === ALL ? '' : `operators.${operator}.`;
  return `${holder}${number === 'cycles' || number === 'layers' ? '' : 'where.'}${number}`;
}

function pathsOf(operators: Operators): string[] {
  return Object.entries(operators).flatMap(([name, counts]) => numbersOf(counts).map((number) => pathOf(name, number)));
}

function numbersOf({ cycles, where }: ReadCounts): NumberName[] {
  const causes = CAUSES.filter((cause) => where?.[cause] !== undefined);
  return cycles === undefined ? causes : ['cycles', ...causes];
}

function covers(key: string, path: string): boolean {
  return path === key || path.startsWith(`${key}.`);
}

function allowedBy(tolerance: Golden['tolerance'], path: string): number {
  const keys = Object.keys(tolerance).filter((key) => covers(key, path));
  const longest = keys.toSorted((a, b) => b.length - a.length).at(0);
  return longest === undefined || path.endsWith('.layers') ? 0 : tolerance[longest];
}

function refuseUnknown({ document, tolerance }: Golden, paths: readonly string[]): void {
  const issues = Object.keys(tolerance)
    .filter((key) => !paths.some((path) => covers(key, path)))
    .map((key) => {
      const allowed = 'allowed cycles, where, where.CAUSE, or operators.NAME and below, as under "result"';
      return { path: ['tolerance', key], on: 'key', text: `no such number, got "${key}", ${allowed}` } as const;
    });
  if (issues.length > 0) throw failureOf(document, issues);
}
