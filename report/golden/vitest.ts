// Matchers for vitest, `import 'wafer-emulator/vitest'`: expect(run).toTakeCycles(n) and expect(run).toMatchGolden(file). A
// run is what runWafer and runModel give; cycles has also the timing of a kernel and a report. `vitest -u` writes a golden;
// without it one that is missing is a failure, in every mode.

import { existsSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { Chalk } from 'chalk';
import { expect } from 'vitest';
import { isObject, valueAt } from '../../compiler/model/paths.ts';
import { inputError } from '../../emulator/errors.ts';
import type { WaferRun } from '../../run/wafer.ts';
import { movedTable } from '../movedTable.ts';
import { count } from '../numbers.ts';
import { compareGolden } from './compare.ts';
import { readGolden } from './document.ts';
import { headOf } from './head.ts';
import { type GoldenResult, resultOfRun } from './result.ts';
import { newGolden, withResult } from './text.ts';

interface CycleMatchers<Result> {
  /** The run takes exactly so many cycles. */
  toTakeCycles: (cycles: number) => Result;
  /** The run is as its golden says, number by number; the path is from the folder of the test file. */
  toMatchGolden: (file: string) => Result;
}

declare module 'vitest' {
  interface Matchers<T> extends CycleMatchers<T> {}
}

interface Outcome {
  readonly pass: boolean;
  readonly message: () => string;
}

expect.extend({
  toTakeCycles: (run: unknown, cycles: number): Outcome => takesCycles(run, cycles),
  toMatchGolden(run: unknown, file: string): Outcome {
    const folder = this.testPath === undefined ? '.' : dirname(this.testPath);
    return matchesGolden(run, relative('.', resolve(folder, file)), this.snapshotState.snapshotUpdateState === 'all');
  },
});

function takesCycles(run: unknown, cycles: number): Outcome {
  const took = valueAt(run, ['cycles']) ?? valueAt(run, ['wafer', 'cycles']);
  if (typeof took !== 'number')
    throw inputError('toTakeCycles: got a value without cycles, allowed what runWafer, runModel or timeSpmm gives');
  const move = took - cycles;
  return {
    pass: took === cycles,
    message: () =>
      move === 0
        ? `the run takes ${count(took)} cycles, expected any other number`
        : `the run takes ${count(took)} cycles, expected ${count(cycles)} (${move > 0 ? '+' : ''}${count(move)})`,
  };
}

function matchesGolden(run: unknown, file: string, update: boolean): Outcome {
  if (!isWaferRun(run))
    throw inputError('toMatchGolden: got something else than a run, allowed what runWafer or runModel gives');
  const result = resultOfRun(run);
  if (update) {
    write(file, run, result);
    return { pass: true, message: () => `${file} has just been written` };
  }
  if (!existsSync(file)) return { pass: false, message: () => `${file}: no such golden; vitest -u writes it` };
  const differences = compareGolden(readGolden(file), result);
  const table = (): string[] =>
    movedTable(differences, { heads: ['golden', 'now'], colours: new Chalk({ level: 0 }), most: Infinity, rest: '' });
  return {
    pass: differences.facts.length === 0 && differences.moves.length === 0,
    message: () =>
      [`the run is ${table().length === 0 ? '' : 'not '}what ${file} says; vitest -u writes it anew`, ...table()].join(
        '\n',
      ),
  };
}

function isWaferRun(value: unknown): value is WaferRun {
  return isObject(valueAt(value, ['spec'])) && Array.isArray(valueAt(value, ['wafer', 'operators']));
}

function write(file: string, run: WaferRun, result: GoldenResult): void {
  const text = existsSync(file)
    ? withResult(readGolden(file).document, result)
    : newGolden(headOf(run.spec, file), result);
  writeFileSync(file, text);
}
