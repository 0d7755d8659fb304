// The grid of a sweep. Each varied field is `path=values`: values listed, ranges `from:to:step` with both ends, or both.
// Every combination is a point; the first field is the slowest, the last the fastest.

import { jsonOrText } from '../compiler/model/overrides.ts';
import { inputError } from '../emulator/errors.ts';

export const MOST_POINTS = 10_000;

export interface Value {
  /** As it stands behind `path=`. */
  readonly text: string;
  readonly value: unknown;
}

export interface Axis {
  readonly path: string;
  readonly values: readonly Value[];
}

/** A field of a point and its value there. */
export interface Varied extends Value {
  readonly path: string;
}

/** `fixed` are the paths that other flags set; throws (exit 2) where one of them is varied too, and on a grid too large. */
export function axesOf(vary: readonly string[], fixed: readonly string[]): Axis[] {
  const axes = vary.map(axisOf);
  axes.forEach(({ path }, i) => {
    const isSame = (other: string): boolean => fieldOf(other) === fieldOf(path);
    if (axes.findIndex((other) => isSame(other.path)) < i) throw inputError(`--vary: ${path} is varied twice`);
    if (fixed.some(isSame)) throw inputError(`--vary: ${path} is fixed by another flag; leave one of the two out`);
  });
  const points = axes.reduce((product, { values }) => product * values.length, 1);
  if (points > MOST_POINTS) throw tooMany(`the grid has ${points.toLocaleString('en-US')} points`);
  return axes;
}

/** A share of zeros in its short form is the value of its long form. */
function fieldOf(path: string): string {
  return path === 'sparsity' ? 'sparsity.value' : path;
}

/** All points, in the order of the grid. */
export function pointsOf(axes: readonly Axis[]): Varied[][] {
  return axes.reduce<Varied[][]>(
    (points, { path, values }) => points.flatMap((point) => values.map((value) => [...point, { path, ...value }])),
    [[]],
  );
}

function axisOf(given: string): Axis {
  const equals = given.indexOf('=');
  if (equals < 1) throw inputError(`--vary: not path=values, got ${JSON.stringify(given)}, allowed e.g. ${EXAMPLES}`);
  const path = given.slice(0, equals);
  const values = itemsOf(given.slice(equals + 1)).flatMap((item) => valuesOf(path, item));
  return { path, values };
}

const EXAMPLES = 'sparsity=0:0.95:0.05 or machine.core.simdFp16=4,8';

/** Texts between commas, but for commas within brackets or quotes of JSON. */
function itemsOf(text: string): string[] {
  const items: string[] = [];
  let depth = 0;
  let from = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:\\.|[^"\\])*"|[[{}\],]/g)) {
    if (token === '[' || token === '{') depth++;
    if (token === ']' || token === '}') depth--;
    if (token !== ',' || depth > 0) continue;
    items.push(text.slice(from, index));
    from = index + 1;
  }
  return [...items, text.slice(from)].map((item) => item.trim());
}

const NUMBERS_AND_COLONS = /^[-+.\deE]+(?::[-+.\deE]*)+$/;

function valuesOf(path: string, item: string): Value[] {
  if (item === '') throw inputError(`--vary ${path}: an empty value; allowed e.g. ${EXAMPLES}`);
  if (!NUMBERS_AND_COLONS.test(item)) return [{ text: item, value: jsonOrText(item) }];
  return rangeOf(path, item).map((value) => ({ text: String(value), value }));
}

/** `digits` times ten to the `exponent`. */
interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/** Counted in whole steps of the last digit given, so that 0:0.95:0.05 has 20 values and each is the nearest to its name. */
function rangeOf(path: string, item: string): number[] {
  const wrong = (what: string): Error =>
    inputError(`--vary ${path}: ${what}, got ${JSON.stringify(item)}, allowed from:to:step, e.g. 0:0.95:0.05`);
  const decimals = item.split(':').map(decimalOf);
  const [from, to, step] = decimals;
  if (decimals.length !== 3 || from === undefined || to === undefined || step === undefined)
    throw wrong('not a range of three numbers');
  const exponent = Math.min(from.exponent, to.exponent, step.exponent);
  const whole = ({ digits, exponent: own }: Decimal): bigint => digits * 10n ** BigInt(own - exponent);
  const [first, by] = [whole(from), whole(step)];
  const length = whole(to) - first;
  if (by === 0n) throw wrong('a step of zero');
  if (length !== 0n && length > 0n !== by > 0n) throw wrong('the step leads away from the end');
  const steps = length / by;
  if (steps >= BigInt(MOST_POINTS)) throw tooMany(`${path} has ${(steps + 1n).toLocaleString('en-US')} values`);
  return Array.from({ length: Number(steps) + 1 }, (_, i) => Number(`${first + BigInt(i) * by}e${exponent}`));
}

/** Beyond the exponents of floating point nothing can be told apart. */
const LARGEST_EXPONENT = 330;

function decimalOf(text: string): Decimal | undefined {
  const found = /^(-?\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(text);
  if (found === null) return undefined;
  const [, whole, fraction = '', exponent = '0'] = found;
  const power = Number(exponent) - fraction.length;
  if (!Number.isFinite(Number(text)) || Math.abs(power) > LARGEST_EXPONENT) return undefined;
  return { digits: BigInt(whole + fraction), exponent: power };
}

function tooMany(what: string): Error {
  return inputError(
    `--vary: ${what}, allowed ${MOST_POINTS.toLocaleString('en-US')} points; take larger steps, or run parts of it into one --out`,
  );
}
