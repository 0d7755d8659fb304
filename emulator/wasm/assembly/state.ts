// What the parts of a row share: sizes, the staircases of the reduce threads, and access to banks of 32-bit numbers.

export let C: i32, N: i32, K: i32, H: i32;
export let weightSlots: i32, controlSlots: i32;
export let mainFree: usize, reduceFree: usize, phiLast: usize, reduceFrom: usize;
export let pieceCount: usize, firstLevel: usize, pieceAt: usize, pieceLevel: usize;
export let nnz: usize, lead: usize, token: usize;
export let waves: i32;
let ends: usize;

const ENDS_PARAMETER: i32 = 41;

// @ts-ignore: decorator
@inline
export function at(bank: usize, i: i32): i32 {
  return load<i32>(bank + (<usize>i << 2));
}

// @ts-ignore: decorator
@inline
export function put(bank: usize, i: i32, value: i32): void {
  store<i32>(bank + (<usize>i << 2), value);
}

/** Four entries from i on. */
// @ts-ignore: decorator
@inline
export function four(bank: usize, i: i32): v128 {
  return v128.load(bank + (<usize>i << 2));
}

// @ts-ignore: decorator
@inline
export function putFour(bank: usize, i: i32, values: v128): void {
  v128.store(bank + (<usize>i << 2), values);
}

/** `parameters`: as laid by emulator/streamed/wasmRow.ts. */
export function startState(parameters: usize): void {
  C = at(parameters, 0);
  N = at(parameters, 1);
  K = at(parameters, 2);
  H = at(parameters, 3);
  weightSlots = at(parameters, 4);
  controlSlots = at(parameters, 5);
  nnz = at(parameters, 8);
  mainFree = at(parameters, 9);
  reduceFree = at(parameters, 10);
  phiLast = at(parameters, 11);
  reduceFrom = at(parameters, 12);
  pieceCount = at(parameters, 13);
  firstLevel = at(parameters, 14);
  pieceAt = at(parameters, 15);
  pieceLevel = at(parameters, 16);
  token = at(parameters, 17);
  lead = at(parameters, 18);
  ends = at(parameters, ENDS_PARAMETER);
  waves = at(parameters, ENDS_PARAMETER + 1);
}

/** Where the sums of wave n end. */
// @ts-ignore: decorator
@inline
export function endOf(n: i32): i32 {
  return <i32>load<u16>(ends + (<usize>n << 1));
}

/** Where they begin; where a feature has none, anywhere. */
// @ts-ignore: decorator
@inline
export function firstOf(n: i32): i32 {
  if (n >= waves) return 0;
  const first = endOf(n) + 1;
  return first === C ? 0 : first;
}

/** Level of piece i of a staircase. */
// @ts-ignore: decorator
@inline
export function levelOf(cell: i32, i: i32): i32 {
  return i === 0 ? at(firstLevel, cell) : at(pieceLevel, cell * H + i);
}
