// One case as a line of JSON, in pieces: that of a whole wafer has a quarter of a million PEs. `where` has an object of
// causes for each PE, ring position (outer) by row (inner), or from west to east.

import { type KernelDeadlock, type KernelTiming, whereOf } from './timing.ts';

/** Characters a piece has at least, but for the last. */
const PIECE = 1 << 20;

export function* lineOf(timing: KernelTiming | KernelDeadlock): Generator<string> {
  const { engine, path, why, cycles } = timing;
  if (timing.cycles === 'deadlock') {
    yield `${JSON.stringify({ engine, cycles, where: [], path, why })}\n`;
    return;
  }
  const { outer, inner } = timing;
  let piece = `{"engine":${JSON.stringify(engine)},"cycles":${cycles},"where":[`;
  for (let p = 0; p < outer; p++)
    for (let y = 0; y < inner; y++) {
      piece += `${p + y > 0 ? ',' : ''}${JSON.stringify(whereOf(timing, p, y))}`;
      if (piece.length < PIECE) continue;
      yield piece;
      piece = '';
    }
  yield `${piece}],"path":${JSON.stringify(path)},"why":${JSON.stringify(why)}}\n`;
}
