// Sizes and banks of a row that looks ahead: the twin of emulator/streamed/lookahead/state.ts, on the same arrays.

import { at } from '../state';

export const NEVER: i32 = 0x7fffffff;

export let C: i32, N: i32, K: i32, H: i32;
export let weightSlots: i32, controlSlots: i32;
export let gapCycles: i32, gapRest: i32, denominator: i32;
export let D: i32, IQ: i32, OQ: i32, creditLatency: i32, rampLatency: i32, resultLatency: i32;
export let slotRing: i32, queueRing: i32, bufferRing: i32, arriveRing: i32, takeRing: i32, doneRing: i32;
export let kept: i32;
export let nnz: usize, hops: usize;
export let waves: i32;
let ends: usize;
export let slot: usize, slotFeature: usize, lastSlot: usize, slotBound: usize, slots: usize;
export let issued: usize, gone: usize, middle: usize, arrived: usize, taken: usize;
export let issueTimes: usize, leaveTimes: usize, passTimes: usize, arriveTimes: usize, takeTimes: usize;
export let aheadFrom: usize, aheadLead: usize, ahead: usize;
export let feature: usize, tokensLeft: usize, token: usize, begins: usize, doneAt: usize;
export let slotsPassed: usize, psumsPassed: usize, notBefores: usize, dues: usize, dueSlack: usize;
export let lastEntered: usize, lastRamp: usize, rampTimes: usize, firstSlots: usize, waitWeights: usize, waits: usize;

/** Where the sums of wave n end. */
// @ts-ignore: decorator
@inline
export function endOf(n: i32): i32 {
  return <i32>load<u16>(ends + (<usize>n << 1));
}

/** `parameters`: as laid by emulator/streamed/lookahead/wasm.ts. */
export function startLookahead(parameters: usize): void {
  C = at(parameters, 0);
  N = at(parameters, 1);
  K = at(parameters, 2);
  H = at(parameters, 3);
  weightSlots = at(parameters, 4);
  controlSlots = at(parameters, 5);
  const numerator = at(parameters, 6);
  denominator = at(parameters, 7);
  gapCycles = numerator / denominator;
  gapRest = numerator % denominator;
  D = at(parameters, 8);
  IQ = at(parameters, 9);
  OQ = at(parameters, 10);
  creditLatency = at(parameters, 11);
  rampLatency = at(parameters, 12);
  resultLatency = at(parameters, 13);
  slotRing = at(parameters, 14);
  queueRing = at(parameters, 15);
  bufferRing = at(parameters, 16);
  arriveRing = at(parameters, 17);
  takeRing = at(parameters, 18);
  doneRing = at(parameters, 19);
  nnz = at(parameters, 20);
  hops = at(parameters, 21);
  slot = at(parameters, 22);
  slotFeature = at(parameters, 23);
  ends = at(parameters, 24);
  lastSlot = at(parameters, 25);
  slotBound = at(parameters, 26);
  slots = at(parameters, 27);
  issued = at(parameters, 28);
  gone = at(parameters, 29);
  middle = at(parameters, 30);
  arrived = at(parameters, 31);
  taken = at(parameters, 32);
  issueTimes = at(parameters, 33);
  leaveTimes = at(parameters, 34);
  passTimes = at(parameters, 35);
  arriveTimes = at(parameters, 36);
  takeTimes = at(parameters, 37);
  aheadFrom = at(parameters, 38);
  aheadLead = at(parameters, 39);
  ahead = at(parameters, 40);
  feature = at(parameters, 41);
  tokensLeft = at(parameters, 42);
  token = at(parameters, 43);
  begins = at(parameters, 44);
  doneAt = at(parameters, 45);
  slotsPassed = at(parameters, 46);
  psumsPassed = at(parameters, 47);
  notBefores = at(parameters, 48);
  dues = at(parameters, 49);
  dueSlack = at(parameters, 50);
  lastEntered = at(parameters, 51);
  lastRamp = at(parameters, 52);
  rampTimes = at(parameters, 53);
  firstSlots = at(parameters, 54);
  waitWeights = at(parameters, 55);
  waits = at(parameters, 56);
  waves = at(parameters, 57);
  kept = min(K, waves);
}
