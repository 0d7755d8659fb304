// What an architect asks of the mapper: the best mappings, what more or less SRAM would do, and how much of what is not
// searched could be gained. The best is the one that the main job takes.

import type { Graph } from '../../compiler/graph/graph.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { placeGraph } from '../../compiler/lower/placement.ts';
import type { MappingRequest } from '../../compiler/model/spec.ts';
import type { Machine } from '../../emulator/machine/spec.ts';
import { candidatesOrThrow } from '../mapper.ts';
import { runProgram } from '../program.ts';
import type { WaferResult } from '../result.ts';
import type { Timer } from '../timer.ts';
import { type Candidate, candidates, earlier } from './candidates.ts';
import { leastCyclesOn } from './least.ts';
import { fastest, type Judge, type Judged, judgeAll } from './search.ts';

const SHOWN = 10;
/** Shares of the SRAM of a PE for each of which the fastest mapping is looked for. */
const SHARES = [1, 0.75, 0.5, 0.375, 0.25] as const;

export interface Survey {
  /** The mapping that is taken, and its whole run. */
  readonly chosen: Judged;
  readonly wafer: WaferResult;
  /** The best that ran, fastest first. */
  readonly best: readonly Judged[];
  /** No other that ran is as fast in as little SRAM; from the fastest to the smallest. */
  readonly front: readonly Judged[];
  /** Mappings that fit; of these the ones that ran, that a bound ruled out, that were left open, and that were too much work. */
  readonly counts: Readonly<Record<'fitting' | 'ran' | 'ruledOut' | 'open' | 'tooDear', number>>;
  /** The least cycles that one of those ruled out could take. */
  readonly leastRuledOut: number | null;
  /** Least cycles if every operator could have the columns and tokens that are best for it, and moving data were free. */
  readonly leastOfOwn: number;
}

export interface SurveyOptions {
  readonly timer: Timer;
  readonly onProgress: (done: number, total: number, label: string) => void;
}

export async function surveyMappings(
  graph: Graph,
  machine: Machine,
  request: MappingRequest,
  { timer, onProgress }: SurveyOptions,
): Promise<Survey> {
  const { fitting, tooDear } = candidatesOrThrow(graph, machine, request);
  const judge = (label: string): Judge => ({
    graph,
    machine,
    timer,
    onTry: (done, total) => onProgress(done, total, label),
  });
  const chosen = await fastest(fitting, judge('mapping'));
  const { judged, pruned, leastPruned, open } = await judgeAll(fitting, judge('next best'), SHOWN);
  const best = [chosen, ...judged.filter((each) => !isSame(each, chosen))];
  const wafer = await runProgram(lower(placeGraph(graph, machine, chosen.mapping)), { timer, onProgress });
  const smaller = await inLessSram(graph, machine, request, judge('less SRAM'));
  return {
    chosen,
    wafer,
    best: best.slice(0, SHOWN),
    front: frontOf([...best, ...smaller]),
    counts: { fitting: fitting.length + tooDear, ran: judged.length, ruledOut: pruned, open, tooDear },
    leastRuledOut: leastPruned,
    leastOfOwn: leastOfOwn(fitting),
  };
}

function isSame(a: Candidate, b: Candidate): boolean {
  return JSON.stringify(a.mapping) === JSON.stringify(b.mapping);
}

/** The fastest for each share of the SRAM that anything fits into. */
async function inLessSram(graph: Graph, machine: Machine, request: MappingRequest, judge: Judge): Promise<Judged[]> {
  const least = leastCyclesOn(machine);
  const found: Judged[] = [];
  for (const share of SHARES) {
    const sramBytes = Math.floor(share * machine.memory.sramBytes);
    const { fitting } = candidates(graph, machine, request, least, sramBytes);
    if (fitting.length > 0) found.push(...(await judgeAll(fitting, judge, 0)).judged);
  }
  return found;
}

/** Those that no other beats in both cycles and bytes. */
export function frontOf<Point extends Judged>(points: readonly Point[]): Point[] {
  const front: Point[] = [];
  for (const point of points.toSorted((a, b) => a.cycles - b.cycles || earlier(a, b)))
    if (front.every(({ bytes }) => point.bytes < bytes)) front.push(point);
  return front;
}

function leastOfOwn(fitting: readonly Candidate[]): number {
  const [{ operatorBounds }] = fitting;
  return operatorBounds.reduce(
    (sum, _, i) => sum + fitting.reduce((least, one) => Math.min(least, one.operatorBounds[i]), Infinity),
    0,
  );
}
