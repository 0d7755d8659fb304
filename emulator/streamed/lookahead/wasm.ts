// A row that looks ahead by its WebAssembly twin: the same arrays in its memory.

import { MOST_CYCLES } from '../../errors.ts';
import { ARENA_START, wasmKernels } from '../../wasm/module.ts';
import { type Arena, arenaBytes, arenaIn } from '../arena.ts';
import type { SpmmShape } from '../shape.ts';
import type { Pace } from './pace.ts';
import { type LookaheadState, lookaheadState, waitsForNothing } from './state.ts';

const PARAMETERS = 58;

interface WasmLookahead extends LookaheadState {
  readonly parametersAt: number;
}

/** The row's arrays, cells included, in an arena. */
function lay(shape: SpmmShape, pace: Pace, arena: Arena): { state: LookaheadState; parameters: Int32Array } {
  const nnz = arena.counts(shape.nnz.length);
  if (nnz.length > 0) nnz.set(shape.nnz);
  return { state: lookaheadState({ ...shape, nnz }, pace, arena), parameters: arena.ints(PARAMETERS) };
}

/** Sizes and addresses in the order in which assembly/lookahead/state.ts reads them. */
function parametersOf(state: LookaheadState): number[] {
  const { shape } = state;
  const { cols, features, accumulators, gap, controlSlots, latencies } = shape;
  const { routerBuffer, inputQueue, outputQueue, creditLatency, rampLatency, resultLatency } = latencies;
  const sizes = [cols, features, accumulators, state.psums, state.weightSlots, controlSlots, gap[0], gap[1]];
  sizes.push(routerBuffer, inputQueue, outputQueue, creditLatency, rampLatency, resultLatency);
  sizes.push(state.slotRing, state.queueRing, state.bufferRing, state.arriveRing, state.takeRing, state.doneRing);
  const { slot, slotFeature, ends, lastSlot, slotBound, slots } = state;
  const { issued, gone, middle, arrived, taken } = state;
  const { issueTimes, leaveTimes, passTimes, arriveTimes, takeTimes } = state;
  const { aheadFrom, aheadLead, ahead, feature, tokensLeft, token, begin, doneAt } = state;
  const { slotsPassed, psumsPassed, notBefore, due, dueSlack } = state;
  const { entered, ramp, rampTimes, firstSlots, waitWeights, waits } = state;
  const banks: ArrayBufferView[] = [shape.nnz, state.hops, slot, slotFeature, ends, lastSlot, slotBound, slots];
  banks.push(issued, gone, middle, arrived, taken, issueTimes, leaveTimes, passTimes, arriveTimes, takeTimes);
  banks.push(aheadFrom, aheadLead, ahead, feature, tokensLeft, token, begin, doneAt);
  banks.push(slotsPassed, psumsPassed, notBefore, due, dueSlack);
  banks.push(entered, ramp, rampTimes, firstSlots, waitWeights, waits);
  return [...sizes, ...banks.map(({ byteOffset }) => byteOffset), state.waves];
}

/** A row's state in the memory of the kernels, ready to run. */
export function wasmLookahead(shape: SpmmShape, pace: Pace): WasmLookahead {
  const { memory } = wasmKernels(arenaBytes((arena) => void lay(shape, pace, arena)));
  const { state, parameters } = lay(shape, pace, arenaIn(memory.buffer, ARENA_START));
  parameters.set(parametersOf(state));
  return { ...state, parametersAt: parameters.byteOffset };
}

/** Runs all features. */
export function runWasmLookahead({ parametersAt }: WasmLookahead): void {
  const kernels = wasmKernels(0);
  kernels.startLookahead(parametersAt);
  let running = 1;
  while (running > 0) running = kernels.sweepLookahead(MOST_CYCLES);
  if (running < 0) throw waitsForNothing(-1 - running);
}
