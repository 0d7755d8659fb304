// The causes and bounds as the page names and colours them: a bound has the colour of the cause that shows it.

import type { CauseName } from '../../emulator/program/causes.ts';
import type { Bound } from '../../run/result.ts';

export const CAUSE_NAMES: Readonly<Record<CauseName, string>> = {
  compute: 'compute',
  overhead: 'overhead',
  reduce: 'reduction',
  waitWeights: 'waits for weights',
  waitThread: 'waits for a thread',
  waitPartial: 'waits for partial sums',
  waitCredit: 'waits for room',
  done: 'done',
};

export const COLOUR_OF_BOUND: Readonly<Record<Bound, CauseName>> = {
  compute: 'compute',
  overhead: 'overhead',
  reduction: 'reduce',
  'weight stream': 'waitWeights',
  'load imbalance': 'waitThread',
  fabric: 'waitCredit',
};
