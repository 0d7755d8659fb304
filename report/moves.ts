// What moved between two sets of counts of operators: each number that is not the same, and each that only one of them has.
// A number that is missing is never taken for 0.

import { CAUSES, type CauseName, type Where } from '../emulator/program/causes.ts';

/** Counts as they are read: any of them may be missing. */
export interface ReadCounts {
  readonly layers?: number | undefined;
  readonly cycles?: number | undefined;
  readonly where?: Partial<Where> | undefined;
}

export type Operators = Readonly<Record<string, ReadCounts>>;

export type NumberName = 'layers' | 'cycles' | CauseName;

export interface MovedNumber {
  readonly number: NumberName;
  /** `undefined`: missing. */
  readonly was: number | undefined;
  readonly now: number | undefined;
}

export interface MovedOperator {
  readonly operator: string;
  /** How many layers it stands for, as a table says it: x24, 3 of 24, or nothing for one. */
  readonly layers: string;
  /** At least one; the cycles first, then the causes that moved most. */
  readonly numbers: readonly MovedNumber[];
}

/** A value of the inputs, the machine or the mapping, or a total, that is not the same; `undefined`: missing. */
export interface Fact {
  readonly path: string;
  readonly was: unknown;
  readonly now: unknown;
}

export interface Differences {
  readonly facts: readonly Fact[];
  readonly moves: readonly MovedOperator[];
}

/** May a number of an operator move so? */
export type Tolerates = (operator: string, number: NumberName, was: number, now: number) => boolean;

const exactly: Tolerates = () => false;

export function movesOf(was: Operators, now: Operators, tolerates: Tolerates = exactly): MovedOperator[] {
  const names = new Set([...Object.keys(was), ...Object.keys(now)]);
  return [...names].flatMap((operator) => {
    const [before, after] = [own(was, operator), own(now, operator)];
    const layers = (after ?? before)?.layers ?? 1;
    const numbers = movedNumbers(before, after, (number, from, to) => tolerates(operator, number, from, to));
    return numbers.length === 0 ? [] : [{ operator, layers: layers > 1 ? `x${layers}` : '', numbers }];
  });
}

function own(operators: Operators, name: string): ReadCounts | undefined {
  return Object.hasOwn(operators, name) ? operators[name] : undefined;
}

export function movedNumbers(
  was: ReadCounts | undefined,
  now: ReadCounts | undefined,
  tolerates: (number: NumberName, was: number, now: number) => boolean,
): MovedNumber[] {
  // Of an operator that only one side has, the cycles say it.
  if (was === undefined || now === undefined) return [{ number: 'cycles', was: was?.cycles, now: now?.cycles }];
  const causes = CAUSES.map((number) => ({ number, was: was.where?.[number], now: now.where?.[number] }));
  const numbers: MovedNumber[] = [
    { number: 'layers', was: was.layers, now: now.layers },
    { number: 'cycles', was: was.cycles, now: now.cycles },
    ...causes.toSorted((a, b) => distance(b) - distance(a)),
  ];
  return numbers.filter(
    ({ number, was, now }) => was !== now && (was === undefined || now === undefined || !tolerates(number, was, now)),
  );
}

/** Operators that only one side has, then those whose cycles moved most. */
export function largestFirst(moves: readonly MovedOperator[]): MovedOperator[] {
  const size = ({ numbers }: MovedOperator): number => {
    const cycles = numbers.find(({ number }) => number === 'cycles');
    return cycles === undefined ? 0 : distance(cycles);
  };
  // Not a difference: of two infinities it is no number.
  return moves.toSorted((a, b) => Number(size(b) > size(a)) - Number(size(a) > size(b)));
}

/** One that is missing is as far off as can be. */
function distance({ was, now }: MovedNumber): number {
  return was === undefined || now === undefined ? (was === now ? 0 : Infinity) : Math.abs(now - was);
}

/** The leaves of two objects that are not the same; a list is a leaf. */
export function factsOf(path: string, was: unknown, now: unknown): Fact[] {
  if (isObject(was) || isObject(now)) {
    const [before, after] = [isObject(was) ? was : {}, isObject(now) ? now : {}];
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => factsOf(path === '' ? key : `${path}.${key}`, before[key], after[key]));
  }
  return JSON.stringify(was) === JSON.stringify(now) ? [] : [{ path, was, now }];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
