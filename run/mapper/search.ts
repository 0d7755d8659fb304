// The search. Each candidate is known by least cycles, which rise as more of it is run: at first its bound; then its small
// kernels are run exactly, then the matmuls of a layer, then the LM head, which may be as much work as many layers. Those
// with the least cycles so far go on, a few at a time on the workers, until all that is left has more than the best that
// ran whole. Layers are judged by the first one, masks included; where that leaves several nearly equal, the whole program
// decides. What is run depends on counts alone, never on who is ready first.

import type { Graph, OperatorKind } from '../../compiler/graph/graph.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { placeGraph } from '../../compiler/lower/placement.ts';
import type { Program } from '../../compiler/lower/program.ts';
import type { Machine } from '../../emulator/machine/spec.ts';
import { CAUSES, type Where } from '../../emulator/program/causes.ts';
import { runProgram } from '../program.ts';
import type { Timer } from '../timer.ts';
import { type Candidate, earlier, firstLayer, multiplicity } from './candidates.ts';
import { workOf } from './work.ts';

/** Candidates that go on at a time: more would be run for nothing, fewer would leave workers idle. */
const BATCH = 4;
/** First layers that differ by less than this share may lie in the other order when all layers are run. */
const NEARLY = 0.002;
const MOST_FINALISTS = 4;
/** Work after which no more candidates are run, and that of whole programs among nearly equal ones. */
const MOST_WORK = 2e10;

export interface Judged extends Candidate {
  /** Cycles of all passes, every layer counted as the first. */
  readonly cycles: number;
  /** Cycles of all PEs in use by cause, of all passes. */
  readonly where: Where;
}

export interface Judgement {
  /** Fastest first. */
  readonly judged: readonly Judged[];
  /** Ruled out: they cannot be as fast as the best; the least cycles that one of them could take. */
  readonly pruned: number;
  readonly leastPruned: number | null;
  /** Neither run nor ruled out when the work was used up. */
  readonly open: number;
}

export interface Judge {
  readonly graph: Graph;
  readonly machine: Machine;
  readonly timer: Timer;
  /** Called with the candidates that are done, and those that are not ruled out. */
  readonly onTry?: ((tried: number, of: number) => void) | undefined;
}

const NOWHERE: Where = {
  compute: 0,
  overhead: 0,
  reduce: 0,
  waitWeights: 0,
  waitThread: 0,
  waitPartial: 0,
  waitCredit: 0,
  done: 0,
};

/** What is run at each stage. */
const STAGES: readonly ((kind: OperatorKind) => boolean)[] = [
  (kind) => kind !== 'linear' && kind !== 'lmHead',
  (kind) => kind === 'linear',
  (kind) => kind === 'lmHead',
];

/** A candidate on its way, `stage` of these behind it: `least` cycles, exact for the operators that were run. */
interface Going {
  readonly candidate: Candidate;
  readonly least: number;
  /** Cycles of all PEs by cause, of what was run. */
  readonly where: Where;
  readonly stage: number;
}

/** Runs what can be the fastest, and in any case `atLeast` of them; `fitting` in the order of bounds. */
export async function judgeAll(
  fitting: readonly Candidate[],
  judge: Judge,
  atLeast: number,
  mostWork: number = MOST_WORK,
): Promise<Judgement> {
  const judged: Judged[] = [];
  // Those run in part; the others are fitting[next] and after.
  let going: Going[] = [];
  let next = 0;
  let best = Infinity;
  let work = 0;
  const take = (): Going | undefined => {
    const bound = next < fitting.length ? fitting[next].bound : Infinity;
    const first = going.at(0);
    if (first === undefined && bound === Infinity) return undefined;
    const isStarted = first !== undefined && first.least <= bound;
    if ((isStarted ? first.least : bound) > best && judged.length >= atLeast) return undefined;
    if (isStarted) return going.shift();
    return { candidate: fitting[next++], least: bound, where: NOWHERE, stage: 0 };
  };
  while (work < mostWork || judged.length === 0) {
    const batch: Going[] = [];
    const ahead = furthest(going);
    if (ahead !== undefined && (ahead.least <= best || judged.length < atLeast)) {
      going.splice(going.indexOf(ahead), 1);
      batch.push(ahead);
    }
    for (let one = take(); one !== undefined; one = batch.length < BATCH ? take() : undefined) batch.push(one);
    if (batch.length === 0) break;
    for (const { goes, worked } of await Promise.all(batch.map((one) => further(one, judge)))) {
      work += worked;
      if (goes.stage === STAGES.length) {
        judged.push({ ...goes.candidate, cycles: goes.least, where: goes.where });
        best = Math.min(best, goes.least);
      } else going.push(goes);
    }
    going = going.sort((a, b) => a.least - b.least || b.stage - a.stage || earlier(a.candidate, b.candidate));
    judge.onTry?.(judged.length, judged.length + possible(fitting, next, going, best));
  }
  judged.sort((a, b) => a.cycles - b.cycles || earlier(a, b));
  const open = possible(fitting, next, going, best);
  const above = [...going.map(({ least }) => least), ...fitting.slice(next).map(({ bound }) => bound)].filter(
    (least) => least > best,
  );
  return {
    judged,
    pruned: above.length,
    leastPruned: above.length > 0 ? above.reduce((a, b) => Math.min(a, b)) : null,
    open,
  };
}

/** Of those that are furthest the one with the least cycles: what ran whole early rules out much. */
function furthest(going: readonly Going[]): Going | undefined {
  const stage = going.reduce((most, one) => Math.max(most, one.stage), 0);
  return going.find((one) => one.stage === stage);
}

/** Candidates that are not ruled out by cycles that were reached. */
function possible(fitting: readonly Candidate[], next: number, going: readonly Going[], best: number): number {
  let count = going.filter(({ least }) => least <= best).length;
  for (let i = next; i < fitting.length && fitting[i].bound <= best; i++) count++;
  return count;
}

/** Runs the next stage of a candidate. */
async function further(going: Going, { graph, machine, timer }: Judge): Promise<{ goes: Going; worked: number }> {
  const { candidate, stage } = going;
  const { mapping, operatorBounds } = candidate;
  const thin = firstLayer(graph);
  const count = multiplicity(graph);
  const program = lower(placeGraph(thin, machine, mapping));
  const chosen = program.operators.flatMap(({ kind }, i) => (STAGES[stage](kind) ? [i] : []));
  const part = chosen.map((i) => program.operators[i]);
  if (part.length === 0) return { goes: { ...going, stage: stage + 1 }, worked: 0 };
  const { operators } = await runProgram({ ...program, operators: part }, { timer });
  let { least } = going;
  const where = { ...going.where };
  chosen.forEach((i, at) => {
    const times = count(program.operators[i]) * mapping.passes;
    least += operators[at].cycles * times - operatorBounds[i];
    for (const cause of CAUSES) where[cause] += operators[at].where[cause] * times;
  });
  return { goes: { candidate, least, where, stage: stage + 1 }, worked: workOf(part, machine) };
}

/** The fastest of all; where first layers leave several nearly equal, by the whole program. */
export async function fastest(fitting: readonly Candidate[], judge: Judge): Promise<Judged> {
  const { judged } = await judgeAll(fitting, judge, 0);
  const last = finalists(judged, judge);
  if (last.length === 1) return last[0];
  const cycles = await Promise.all(
    last.map(async (each) => (await runProgram(wholeProgram(each, judge), { timer: judge.timer })).cycles),
  );
  return last[cycles.indexOf(Math.min(...cycles))];
}

function wholeProgram({ mapping }: Candidate, { graph, machine }: Judge): Program {
  return lower(placeGraph(graph, machine, mapping));
}

/** Of those judged, fastest first, the ones among which the whole program has to decide. */
function finalists(judged: readonly Judged[], judge: Judge): readonly Judged[] {
  const nearly = judged.filter(({ cycles }) => cycles <= judged[0].cycles * (1 + NEARLY)).slice(0, MOST_FINALISTS);
  const isOneLayer = firstLayer(judge.graph).nodes.length === judge.graph.nodes.length;
  if (nearly.length === 1 || isOneLayer) return judged.slice(0, 1);
  const work = nearly.reduce((sum, each) => sum + workOf(wholeProgram(each, judge).operators, judge.machine), 0);
  return work > MOST_WORK ? judged.slice(0, 1) : nearly;
}
