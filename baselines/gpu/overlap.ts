// How two streams of work overlap: the p-norm of their times. With p = 1 one waits for the other, with p = infinity the
// longer one hides the shorter.

import { FITTED } from './architectures.ts';

/** Seconds, of two times that overlap. */
export function overlapped(a: number, b: number, p: number = FITTED.overlap): number {
  return (a ** p + b ** p) ** (1 / p);
}
