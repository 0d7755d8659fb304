// One PE, cycle by cycle, at most 100 columns wide: which thread has the slot or what is waited for, which instruction, and
// what lies in its buffers as the cycle begins. Cycles in which nothing of this changes stand on one line.

import type { ChalkInstance } from 'chalk';
import { CAUSE, CAUSES } from '../../emulator/program/causes.ts';
import { PORT_NAMES } from '../../emulator/program/fabric.ts';
import { NONE } from '../../emulator/program/instruction.ts';
import type { BufferRecording, BufferRun, CoreRun } from '../../emulator/stepped/recording.ts';
import { wrapped } from '../../report/numbers.ts';
import { type Column, plainTable } from '../../report/plainTable.ts';
import type { PeView } from '../../run/watched.ts';
import { instructionText, sizeOf, waitText } from './instructions.ts';

const WIDTH = 100;
/** Of a buffer's column, the blanks before it counted. */
const BUFFER_WIDTH = 6;
const BUFFERS_FROM = 64;

/** A stretch of cycles in which neither the core's run nor any buffer changes. */
interface Line {
  readonly from: number;
  readonly until: number;
  readonly core: CoreRun;
  readonly buffers: readonly BufferRun[];
}

/** `color` alone, or all that hold something in these cycles, as many as there is room for. */
export function peLines(
  pe: PeView,
  threads: readonly Int32Array[],
  color: number | undefined,
  colours: ChalkInstance,
): string[] {
  const asked = pe.buffers.filter((buffer) => (color === undefined ? isUsed(buffer) : buffer.color === color));
  const shown = asked.slice(0, Math.floor((WIDTH - BUFFERS_FROM) / BUFFER_WIDTH));
  const left = asked.length - shown.length;
  const columns: Column[] = [
    { head: 'cycles', align: 'left' },
    { head: 'cause', align: 'left' },
    { head: 'instr.', align: 'left' },
    { head: 'item', align: 'left' },
    { head: 'slot', align: 'left' },
    { head: 'waits for', align: 'left' },
    ...shown.map((buffer): Column => ({ head: nameOf(buffer), align: 'left' })),
  ];
  const lines = linesOf(pe.core, shown);
  return [
    ...plainTable(
      columns,
      lines.map((line) => cells(line, threads)),
      colours,
    ),
    ...(left > 0 ? wrapped(`${left} more buffers are in use: --color shows those of one color`, WIDTH, '') : []),
    '',
    ...legend(lines, threads),
    ...wrapped(
      'Numbers with N, E, S or W are wavelets in the router buffer of that port, with in and out those in the queues of the core, as the cycle begins; + one comes in this cycle, - one goes.',
      WIDTH,
      '',
    ),
  ];
}

function isUsed({ runs }: BufferRecording): boolean {
  return runs.some(({ depth, isFilled }) => depth > 0 || isFilled);
}

function nameOf({ color, kind, port }: BufferRecording): string {
  const place = { input: 'in', output: 'out', router: PORT_NAMES[port] }[kind];
  return `${color} ${place}`;
}

function linesOf(core: readonly CoreRun[], buffers: readonly BufferRecording[]): Line[] {
  const all = [core, ...buffers.map(({ runs }) => runs)];
  const changes = [...new Set(all.flatMap((runs) => runs.flatMap(({ from, until }) => [from, until])))];
  changes.sort((a, b) => a - b);
  const places = all.map(() => 0);
  return changes.slice(0, -1).map((from, i) => {
    all.forEach((runs, k) => {
      if (runs[places[k]].until <= from) places[k]++;
    });
    const run = core[places[0]];
    const slot = run.cause > CAUSE.reduce ? run.slot : run.slot + from - run.from;
    return {
      from,
      until: changes[i + 1],
      core: { ...run, slot },
      buffers: buffers.map(({ runs }, k) => runs[places[k + 1]]),
    };
  });
}

function cells({ from, until, core, buffers }: Line, threads: readonly Int32Array[]): string[] {
  const { cause, thread, instruction, item, slot } = core;
  const depths = buffers.map(
    ({ depth, isFilled, isDrained }) => `${depth === 0 ? '.' : depth}${isFilled ? '+' : ''}${isDrained ? '-' : ''}`,
  );
  const cycles = range(from, until - 1);
  if (thread === NONE) return [cycles, CAUSES[cause], '', '', '', '', ...depths];
  const { items, slots } = sizeOf(threads[thread], instruction);
  const isSlot = cause <= CAUSE.reduce;
  return [
    cycles,
    CAUSES[cause],
    `${thread}.${instruction}`,
    items === 1 ? '' : `${item + 1}/${items}`,
    isSlot ? `${range(slot + 1, slot + until - from)}/${slots}` : '',
    isSlot ? '' : waitText(threads[thread], instruction, slot, cause),
    ...depths,
  ];
}

function range(first: number, last: number): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

const MOST_INSTRUCTIONS = 24;

/** The instructions that the lines name, thread by thread. */
function legend(lines: readonly Line[], threads: readonly Int32Array[]): string[] {
  const named = new Map<string, string>();
  for (const { core } of lines) {
    const { thread, instruction } = core;
    if (thread !== NONE) named.set(`${thread}.${instruction}`, instructionText(threads[thread], instruction));
  }
  if (named.size === 0) return [];
  const order = [...named].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
  const texts = order.slice(0, MOST_INSTRUCTIONS).flatMap(([name, text]) => wrapped(text, WIDTH, name.padEnd(8)));
  const left = order.length - MOST_INSTRUCTIONS;
  return [
    'instructions, thread.instruction; of the threads of a core 0 goes first',
    ...texts.map((line) => `  ${line}`.slice(0, WIDTH)),
    ...(left > 0 ? [`  ... and ${left} more`] : []),
    '',
  ];
}
