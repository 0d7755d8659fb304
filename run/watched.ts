// What PEs of a kernel did, cycle by cycle, by the stepped engine. Of rows that fold two are stepped: row y does in cycle t + 1
// what row y - 1 does in t (docs/engines.md), but that row 0 has its wavelets from the edge, which may bring them earlier into
// the buffer of its router, and the other rows have them from a router.

import { EmulateError, EXIT } from '../emulator/errors.ts';
import type { Latencies } from '../emulator/machine/spec.ts';
import { CAUSE } from '../emulator/program/causes.ts';
import type { FabricProgram } from '../emulator/program/fabric.ts';
import { NONE } from '../emulator/program/instruction.ts';
import { NEVER } from '../emulator/stepped/layout.ts';
import {
  type BufferRecording,
  type BufferRun,
  type CoreRun,
  type PeRecording,
  record,
  type Span,
} from '../emulator/stepped/recording.ts';

/** A kernel on a mesh. Where rows fold `program` is the first two of `rows`, or the only one. */
export interface Watchable {
  readonly program: FabricProgram;
  readonly latencies: Latencies;
  readonly rows: number;
  readonly isFolded: boolean;
}

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** Times are those of the kernel on its whole mesh. */
export interface PeView extends Place {
  readonly core: readonly CoreRun[];
  readonly buffers: readonly BufferRecording[];
}

export interface View {
  /** Cycles `from .. until - 1` are shown. */
  readonly from: number;
  readonly until: number;
  /** There was no room for all that was asked for. */
  readonly isCut: boolean;
  readonly pes: readonly PeView[];
}

/** What can be stepped in some minutes, in cycles of PEs. */
const MOST_STEPPED = 2 ** 32;

/** Shows these PEs in a span of a kernel of `cycles` cycles. Throws (exit 3) where it lies too far from the start to step there. */
export function view(
  watchable: Watchable,
  { places, span, cycles, most }: { places: readonly Place[]; span: Span; cycles: number; most: number },
): View {
  const { program, latencies, isFolded } = watchable;
  const shiftOf = ({ y }: Place): number => (isFolded ? Math.max(0, y - 1) : 0);
  const shifts = places.map(shiftOf);
  const [least, largest] = [Math.min(...shifts), Math.max(...shifts)];
  const stepped: Span = { from: Math.max(0, span.from - largest), until: Math.max(1, span.until - least) };
  checkSteps(watchable, stepped.until);
  const peOf = ({ x, y }: Place): number => (isFolded ? Math.min(1, y) : y) * program.width + x;
  const pes = [...new Set(places.map(peOf))];
  const recording = record(program, latencies, { pes, span: stepped, most });
  const until = recording.isCut ? Math.max(span.from, recording.until + least) : Math.min(span.until, cycles);
  const seen = new Map(recording.pes.map((one) => [one.pe, one]));
  return {
    from: span.from,
    until,
    isCut: recording.isCut,
    pes: places.flatMap((place) => {
      const one = seen.get(peOf(place));
      const shift = { by: shiftOf(place), ended: recording.isEnded ? recording.until : NEVER };
      return one === undefined ? [] : [{ ...place, ...shifted(one, shift, { from: span.from, until }) }];
    }),
  };
}

function checkSteps({ program: { name, width, height } }: Watchable, until: number): void {
  if (until * width * height <= MOST_STEPPED) return;
  const most = Math.floor(MOST_STEPPED / (width * height));
  throw new EmulateError(
    EXIT.doesNotFit,
    `${name}: cycle ${until - 1} on ${width} x ${height} PEs is too far to step to, allowed ${most} cycles; what would help: an earlier window, fewer columns`,
  );
}

/** Later by `by` cycles. */
interface Shift {
  readonly by: number;
  /** The first cycle, not shifted, in which nothing happens any more. */
  readonly ended: number;
}

const DONE = { cause: CAUSE.done, thread: NONE, instruction: NONE, item: 0, slot: 0 } as const;
const EMPTY = { depth: 0, isFilled: false, isDrained: false } as const;

function shifted({ core, buffers }: PeRecording, shift: Shift, to: Span): Pick<PeView, 'core' | 'buffers'> {
  const { by, ended } = shift;
  const end: Span = { from: ended + by, until: to.until };
  // Until its first wavelet could be there a row does as in its first cycle, and all its buffers are empty.
  const cores = core.map((run) => ({ ...run, from: run.from === 0 ? 0 : run.from + by, until: run.until + by }));
  const lasting = (runs: readonly BufferRun[]): BufferRun[] => [
    ...(runs[0]?.from === 0 ? [{ ...EMPTY, from: 0, until: by }] : []),
    ...runs.map((run) => ({ ...run, from: run.from + by, until: run.until + by })),
    { ...EMPTY, ...end },
  ];
  return {
    core: within([...cores, { ...DONE, ...end }], to).map(({ from, ...run }) => {
      const begun = Math.max(from, to.from);
      return { ...run, from: begun, slot: run.cause > CAUSE.reduce ? run.slot : run.slot + begun - from };
    }),
    buffers: buffers.map(({ runs, ...buffer }) => ({
      ...buffer,
      runs: within(lasting(runs), to).map((run) => ({ ...run, from: Math.max(run.from, to.from) })),
    })),
  };
}

function within<Run extends Span>(runs: readonly Run[], to: Span): Run[] {
  return runs
    .filter(({ from, until }) => from < until && until > to.from && from < to.until)
    .map((run) => ({ ...run, until: Math.min(run.until, to.until) }));
}
