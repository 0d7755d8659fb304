// A fabric program made ready to run: pipes, the routers' tables and the cores' threads, all in flat banks. What a
// program may not do is refused here, so that the cycle loop checks nothing.

import { internalError, MOST_CYCLES, tooLong } from '../errors.ts';
import type { Latencies } from '../machine/spec.ts';
import { CAUSE, CAUSE_COUNT } from '../program/causes.ts';
import { type FabricProgram, PORT, PORT_NAMES, type Port, type Route } from '../program/fabric.ts';
import {
  AT_INPUT,
  AT_OUTPUT,
  AT_OVERHEAD,
  AT_REPEAT,
  AT_SLOTS,
  AT_TRIGGER,
  INSTRUCTION_WORDS,
  NONE,
} from '../program/instruction.ts';
import { ROUTE_WORDS } from './layout.ts';
import { PipeBank, pipeBanks, type PipeSpec } from './pipes.ts';

const MAX_COLORS = 64;
const OPPOSITE: readonly Port[] = [PORT.S, PORT.W, PORT.N, PORT.E, PORT.R];
const STEP_X = [0, 1, 0, -1, 0];
const STEP_Y = [-1, 0, 1, 0, 0];

/**
 * Routes of PE i are the records `routes[firstRoute[i] .. firstRoute[i + 1]]`, ascending in color; layout.ts says what a
 * record holds.
 */
export interface Routers {
  readonly firstRoute: Int32Array;
  readonly routes: Int32Array;
}

export interface Cores {
  /** Threads of PE i are `firstThread[i] .. firstThread[i + 1]`, highest priority first. */
  readonly firstThread: Int32Array;
  readonly instructions: Int32Array;
  readonly pc: Int32Array;
  readonly end: Int32Array;
  /** Input queue and output pipe of (PE, color); NONE where there is none. */
  readonly inputOf: Int32Array;
  readonly outputOf: Int32Array;
  /** The cause of waiting for a wavelet of a color. */
  readonly waitOf: Int32Array;
  readonly semaphore: Int32Array;
  readonly where: Int32Array;
}

export interface State {
  readonly program: FabricProgram;
  readonly latencies: Latencies;
  readonly pes: number;
  /** The PEs that are stepped, `firstPe .. endPe`: all of them, or those of a band of rows (bands.ts). */
  readonly firstPe: number;
  readonly endPe: number;
  /** The part that stands for the streams. */
  readonly streamPart: number;
  readonly colors: number;
  readonly pipes: PipeBank;
  readonly routers: Routers;
  readonly cores: Cores;
  /** Pipe that stream i enters. */
  readonly entry: Int32Array;
  readonly memory: Float32Array;
}

/** Place of (PE, color) in a table of all. */
function placeOf({ width }: FabricProgram, x: number, y: number, color: number): number {
  return (y * width + x) * MAX_COLORS + color;
}

function checkRoute({ name, width, height }: FabricProgram, { x, y, color, from, to }: Route): void {
  if (x < 0 || x >= width || y < 0 || y >= height) throw internalError(`${name}: route outside at ${x},${y}`);
  if (color < 0 || color >= MAX_COLORS) throw internalError(`${name}: color ${color}`);
  if (to.length === 0 || to.includes(from)) throw internalError(`${name}: route of color ${color} turns back`);
}

/** The routes PE by PE, ascending in color, and where in this order that of each (PE, color) stands, or NONE. */
function inOrder(program: FabricProgram): { routed: Route[]; routeOf: Int32Array } {
  const routeOf = new Int32Array(program.width * program.height * MAX_COLORS).fill(NONE);
  program.routes.forEach((route, i) => {
    checkRoute(program, route);
    const place = placeOf(program, route.x, route.y, route.color);
    if (routeOf[place] !== NONE)
      throw internalError(`${program.name}: two routes of color ${route.color} at ${route.x},${route.y}`);
    routeOf[place] = i;
  });
  const routed: Route[] = [];
  for (let place = 0; place < routeOf.length; place++)
    if (routeOf[place] !== NONE) routeOf[place] = routed.push(program.routes[routeOf[place]]) - 1;
  return { routed, routeOf };
}

/** Flat banks for a program on a machine with these latencies. */
export function load(program: FabricProgram, latencies: Latencies): State {
  const { width, height } = program;
  const pes = width * height;
  const { routed, routeOf } = inOrder(program);

  // Pipes lie PE by PE: for each route the one it takes from and, where it leads to the core, the queue there. Parts
  // that sleep: the router of PE i is part i, its core part pes + i; the last one stands for the streams.
  const specs: PipeSpec[] = [];
  const pipeOf = new Int32Array(routed.length);
  const queueOf = new Int32Array(routed.length).fill(NONE);
  routed.forEach(({ from, to, x, y, color }, i) => {
    const pe = y * width + x;
    const ramp = from === PORT.R;
    const upstream = ramp ? NONE : neighbour(program, routeOf, x, y, color, from);
    const producer = ramp ? pes + pe : upstream === NONE ? 2 * pes : routed[upstream].y * width + routed[upstream].x;
    pipeOf[i] = specs.push({
      capacity: ramp ? latencies.outputQueue : latencies.routerBuffer,
      consumer: pe,
      producer,
    });
    if (to.includes(PORT.R))
      queueOf[i] = specs.push({ capacity: latencies.inputQueue, consumer: pes + pe, producer: pe });
  });
  const pipes = new PipeBank(pipeBanks(specs, latencies.creditLatency, 2 * pes + 1));
  // `push` returned lengths, one past the pipe.
  const recordOf = (pipe: number): number => pipes.pipes[pipe - 1];

  const inputOf = new Int32Array(pes * MAX_COLORS).fill(NONE);
  const outputOf = new Int32Array(pes * MAX_COLORS).fill(NONE);
  const firstRoute = new Int32Array(pes + 1);
  const routes: number[] = [];
  const targets: number[] = [];
  // Targets lie behind all routes and the record that ends the last one's.
  const targetsAt = (routed.length + 1) * ROUTE_WORDS;
  routed.forEach((route, i) => {
    const { color, x, y } = route;
    const pe = y * width + x;
    if (route.from === PORT.R) outputOf[pe * MAX_COLORS + color] = recordOf(pipeOf[i]);
    const ports = route.to.reduce<number>((mask, port) => mask | (1 << port), 0);
    routes.push(recordOf(pipeOf[i]), ports, targetsAt + targets.length);
    for (const port of route.to) {
      if (port === PORT.R) {
        inputOf[pe * MAX_COLORS + color] = recordOf(queueOf[i]);
        targets.push(recordOf(queueOf[i]), latencies.rampLatency);
        continue;
      }
      const next = neighbour(program, routeOf, x, y, color, port);
      if (next === NONE || routed[next].from !== OPPOSITE[port])
        throw internalError(`${program.name}: color ${color} leaves ${x},${y} by ${PORT_NAMES[port]} to no route`);
      targets.push(recordOf(pipeOf[next]), 1);
    }
    firstRoute[pe + 1] = routes.length;
  });
  routes.push(NONE, 0, targetsAt + targets.length);
  for (let pe = 0; pe < pes; pe++) firstRoute[pe + 1] = Math.max(firstRoute[pe + 1], firstRoute[pe]);

  const outerPorts = new Set(program.streams.map(({ x, y, port }) => `${x},${y} ${port}`));
  if (outerPorts.size < program.streams.length) throw internalError(`${program.name}: two streams enter by one port`);
  const entry = Int32Array.from(program.streams, ({ x, y, port, color }) => {
    const route = routeOf[(y * width + x) * MAX_COLORS + color];
    if (route === NONE || routed[route].from !== port || leadsInside(program, x, y, port))
      throw internalError(`${program.name}: stream of color ${color} enters ${x},${y} where no route takes it`);
    return recordOf(pipeOf[route]);
  });

  return {
    program,
    latencies,
    pes,
    firstPe: 0,
    endPe: pes,
    streamPart: 2 * pes,
    colors: MAX_COLORS,
    pipes,
    routers: { firstRoute, routes: Int32Array.from(routes.concat(targets)) },
    cores: loadCores(program, pes, inputOf, outputOf),
    entry,
    memory: program.memory?.slice() ?? new Float32Array(program.memoryWords * pes),
  };
}

/** Does a port lead to a PE of the rectangle? */
function leadsInside({ width, height }: FabricProgram, x: number, y: number, port: Port): boolean {
  const [nx, ny] = [x + STEP_X[port], y + STEP_Y[port]];
  return nx >= 0 && nx < width && ny >= 0 && ny < height;
}

/** The route of a color at the PE beyond a port, or NONE. */
function neighbour(
  program: FabricProgram,
  routeOf: Int32Array,
  x: number,
  y: number,
  color: number,
  port: Port,
): number {
  if (!leadsInside(program, x, y, port)) return NONE;
  return routeOf[((y + STEP_Y[port]) * program.width + x + STEP_X[port]) * MAX_COLORS + color];
}

function loadCores(program: FabricProgram, pes: number, inputOf: Int32Array, outputOf: Int32Array): Cores {
  const offsetOf = new Map<Int32Array, number>();
  let words = 0;
  for (const { threads } of program.cores)
    for (const code of threads)
      if (!offsetOf.has(code)) {
        offsetOf.set(code, words);
        words += code.length;
      }
  const instructions = new Int32Array(words);
  for (const [code, offset] of offsetOf) instructions.set(code, offset);

  const firstThread = new Int32Array(pes + 1);
  const pc: number[] = [];
  const end: number[] = [];
  program.cores.forEach(({ threads }, pe) => {
    for (const code of threads) {
      const offset = offsetOf.get(code) ?? 0;
      if (slotsOf(code) > MOST_CYCLES) throw tooLong(program.name, slotsOf(code));
      pc.push(offset);
      end.push(offset + code.length);
      checkOperands(program, code, pe, inputOf, outputOf);
    }
    firstThread[pe + 1] = pc.length;
  });

  const waitOf = new Int32Array(MAX_COLORS).fill(CAUSE.waitPartial);
  for (const color of program.edgeColors) waitOf[color] = CAUSE.waitWeights;
  return {
    firstThread,
    instructions,
    pc: Int32Array.from(pc),
    end: Int32Array.from(end),
    inputOf,
    outputOf,
    waitOf,
    semaphore: new Int32Array(pes * program.semaphores),
    where: new Int32Array(pes * CAUSE_COUNT),
  };
}

/** Slots of all instructions of a thread. */
function slotsOf(code: Int32Array): number {
  let slots = 0;
  for (let i = 0; i < code.length; i += INSTRUCTION_WORDS)
    slots += code[i + AT_REPEAT] * (code[i + AT_OVERHEAD] + code[i + AT_SLOTS]);
  return slots;
}

function checkOperands(
  program: FabricProgram,
  code: Int32Array,
  pe: number,
  inputOf: Int32Array,
  outputOf: Int32Array,
): void {
  const at = pe * MAX_COLORS;
  for (let i = 0; i < code.length; i += INSTRUCTION_WORDS) {
    const trigger = code[i + AT_TRIGGER];
    const input = code[i + AT_INPUT];
    const output = code[i + AT_OUTPUT];
    if (
      (trigger !== NONE && inputOf[at + trigger] === NONE) ||
      (input !== NONE && inputOf[at + input] === NONE) ||
      (output !== NONE && outputOf[at + output] === NONE)
    )
      throw internalError(`${program.name}: PE ${pe} uses a color that no route brings to or takes from its core`);
  }
}
