// What the parts of a row share: sizes, the staircases of the reduce threads, and access to banks of 32-bit numbers.

export let C: i32, N: i32, K: i32, H: i32;
export let phiLast: usize, pieceCount: usize, pieceAt: usize, pieceLevel: usize;

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

export function startState(parameters: usize): void {
  C = at(parameters, 0);
  N = at(parameters, 1);
  K = at(parameters, 2);
  H = at(parameters, 3);
  phiLast = at(parameters, 12);
  pieceCount = at(parameters, 14);
  pieceAt = at(parameters, 15);
  pieceLevel = at(parameters, 16);
}
