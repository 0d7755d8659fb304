// The worker's side of watching a window: a thread of its own, so that an interrupt is heard. Errors of ours go back as data.

import type { Program } from '../compiler/lower/program.ts';
import { keepBitsIn } from '../kernels/spmm/storedBits.ts';
import { type Failure, failureOf } from './failure.ts';
import type { WaferResult } from './result.ts';
import { watchWindow, type Window, type WindowAsked } from './window.ts';

export interface WindowTask {
  readonly program: Program;
  readonly result: WaferResult;
  readonly asked: WindowAsked;
  /** Where the bits of stored masks lie. */
  readonly bits: string;
}

export default function run({ program, result, asked, bits }: WindowTask): Window | Failure {
  keepBitsIn(bits);
  try {
    return watchWindow(program, result, asked);
  } catch (error) {
    return failureOf(error);
  }
}
