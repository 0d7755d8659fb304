// What it costs that the causes of every PE are counted in every run, and the laws asserted from them: each engine as it is,
// and a copy of the build with the counting taken out of its text, in turn. A text that is not found as often as it must be
// ends the bench, so that it cannot compare a thing with itself.

import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { machinePresets } from '../emulator/machine/presets/index.ts';
import { latenciesOf } from '../emulator/machine/spec.ts';
import type * as engineModule from '../emulator/stepped/engine.ts';
import type * as rowModule from '../emulator/streamed/row.ts';
import { countCells } from '../kernels/spmm/counts.ts';
import { spmmProgram } from '../kernels/spmm/program.ts';
import { host, inTurn, milliseconds, table } from './measure.ts';
import { placedWeights, shapeOf } from './spmmShape.ts';

const RUNS = 7;
const SIDE = 64;
const dist = fileURLToPath(new URL('..', import.meta.url));
const latencies = latenciesOf(machinePresets.wse2.machine);

interface Engines {
  readonly engine: typeof engineModule;
  readonly row: typeof rowModule;
}

async function enginesOf(folder: string): Promise<Engines> {
  const at = (path: string): string => pathToFileURL(join(folder, path)).href;
  return { engine: await import(at('emulator/stepped/engine.js')), row: await import(at('emulator/streamed/row.js')) };
}

/** The build without its counts. */
function uncounted(): string {
  const folder = mkdtempSync(join(tmpdir(), 'uncounted-'));
  cpSync(dist, join(folder, 'dist'), { recursive: true });
  cpSync(join(dist, '..', 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(dist, '..', 'node_modules'), join(folder, 'node_modules'));
  takeOut(join(folder, 'dist/emulator/stepped/cores.js'), /[\w.]*where\[pe \* CAUSE_COUNT \+ [^;]*;/g, ';', 3);
  const none = '{ path: "none", cycles: 0, where: new Float64Array(0) }';
  takeOut(
    join(folder, 'dist/emulator/streamed/row.js'),
    /countRow\(state, '(closed form|token level)', columnSums\)/g,
    none,
    2,
  );
  return folder;
}

function takeOut(file: string, text: RegExp, instead: string, times: number): void {
  const source = readFileSync(file, 'utf8');
  const found = source.match(text)?.length ?? 0;
  if (found !== times) throw new Error(`${file}: ${String(text)} is there ${found} times, not ${times}`);
  writeFileSync(file, source.replace(text, instead));
}

const without = uncounted();
const [counted, bare] = [await enginesOf(dist), await enginesOf(join(without, 'dist'))];
const rows: string[][] = [];
const compare = async (what: string, run: (engines: Engines) => unknown): Promise<void> => {
  const [own, other] = await inTurn(RUNS, [() => run(counted), () => run(bare)]);
  const cost = (100 * (own.cpu - other.cpu)) / other.cpu;
  rows.push([what, milliseconds(own.cpu), milliseconds(other.cpu), `${cost.toFixed(1)} %`]);
};

for (const sparsity of [0.75, 0.99]) {
  const shape = shapeOf({ out: SIDE, in: 2048, rows: SIDE, cols: SIDE, tokens: 64, accumulators: 2, sparsity });
  const program = spmmProgram(shape);
  const watch = { before: () => undefined, after: () => true };
  // Watched, since a run that is not asserts the laws, which need the counts.
  await compare(`stepped, 64 x 64, ${100 * sparsity} % sparse`, ({ engine }) =>
    engine.runWatched(program, latencies, () => watch),
  );
}
for (const [cols, tokens] of [
  [96, 64],
  [750, 64],
  [750, 32],
]) {
  const matmul = { out: 12_288, in: 12_288, rows: 994, cols, tokens, accumulators: 2, sparsity: 0.75 };
  const shape = shapeOf(matmul, countCells(placedWeights(matmul), cols));
  await compare(
    `streamed, 12288 x 12288, C = ${cols}, T = ${tokens}, 75 % sparse`,
    ({ row }) => row.closedRow(shape) ?? row.tokenRow(shape),
  );
}
rmSync(without, { recursive: true });

console.log(`Counting the causes of every PE, one thread; ${host()}\n`);
console.log(table(['run', 'counted, CPU ms', 'not counted, CPU ms', 'cost'], rows));
