// --trace: the files hold what the machine does, cycle for cycle, and are read by those that they are for: Perfetto's published
// schema, speedscope in a browser, and vcd2fst.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { CAUSES, type CauseName } from '../../emulator/program/causes.ts';
import { spmmProgram } from '../../kernels/spmm/program.ts';
import { specText } from '../../run/kernelCase.ts';
import { hasNoBrowser, startBrowser } from '../fixtures/browser.ts';
import { decodePerfetto, type DecodedTrack } from '../fixtures/perfetto.ts';
import { spmmCase } from '../fixtures/spmmCases.ts';
import { type Trace, trace } from '../fixtures/trace.ts';
import { emulate, folderWith } from './emulated.ts';

/** Of Debian's gtkwave. Where CI asks for a browser it asks for this too: a test left out is said aloud. */
const VCD2FST = '/usr/bin/vcd2fst';
const hasNoVcd2fst = process.env.WAFER_EMULATOR_BROWSER !== 'required' && !existsSync(VCD2FST);

interface Case {
  readonly folder: string;
  readonly traced: Trace;
  readonly cols: number;
  readonly rows: number;
}

function caseOf(seed: number): Case {
  const shape = { ...spmmCase(seed), rows: 3 };
  const folder = folderWith({ 'case.json': specText({ kernel: 'spmm', ...shape }, 'a case') });
  return { folder, traced: trace(spmmProgram(shape), shape.latencies), cols: shape.cols, rows: shape.rows };
}

async function written(folder: string, name: string, ...flags: string[]): Promise<Uint8Array> {
  const file = `${folder}/${name}`;
  const { code, err } = await emulate(['kernel', '--spec', `${folder}/case.json`, '--trace', file, ...flags]);
  expect([code, err]).toEqual([0, '']);
  return readFileSync(file);
}

function tracksOf(tracks: readonly DecodedTrack[], x: number, y: number): Map<string, DecodedTrack> {
  return new Map(tracks.filter(({ group }) => group === `PE ${x},${y}`).map((track) => [track.name, track]));
}

/** By cycle what a track shows, from the first cycle of a window. */
function causesOf({ slices }: DecodedTrack): string[] {
  return slices.flatMap(({ name, from, until }) => Array.from({ length: until - from }, () => name));
}

function depthAt({ counts }: DecodedTrack, t: number): number | undefined {
  return counts.findLast(([from]) => from <= t)?.[1];
}

describe('a kernel for Perfetto', () => {
  test('has the causes, threads and queues of all PEs in every cycle', async () => {
    for (const seed of [1, 4]) {
      const { folder, traced, cols, rows } = caseOf(seed);
      const tracks = await decodePerfetto(await written(folder, 'a.pftrace'));
      for (let y = 0; y < rows; y++)
        for (let x = 0; x < cols; x++) {
          const own = tracksOf(tracks, x, y);
          const cycles = traced.core(x, y);
          const cause = own.get('cause');
          expect(cause && causesOf(cause)).toEqual(cycles.map((cycle) => cycle.cause));
          for (const thread of [0, 1]) {
            const slots = own.get(`thread ${thread}`)?.slices ?? [];
            const times = slots.flatMap(({ from, until }) => Array.from({ length: until - from }, (_, i) => from + i));
            expect(times, `PE (${x},${y}), thread ${thread}`).toEqual(traced.slots(x, y, thread));
            for (const { name, from } of slots) expect(name).toBe(cycles[from].cause);
          }
          const queues = [...own].filter(([name]) => name.endsWith(' in'));
          expect(queues.length).toBeGreaterThan(0);
          for (const [name, track] of queues) {
            const color = Number(name.split(' ')[1]);
            const [came, went] = [traced.left(x, y, color), traced.taken(x, y, color)];
            for (let t = 0; t < traced.cycles; t += 3) {
              const before = (times: readonly number[]): number => times.filter((each) => each < t).length;
              expect(depthAt(track, t), `PE (${x},${y}), ${name}, cycle ${t}`).toBe(before(came) - before(went));
            }
          }
        }
    }
  });

  test('has only the window and the PEs that are asked for', async () => {
    const { folder, traced } = caseOf(6);
    const bytes = await written(folder, 'a.pftrace', '--window', '20:59', '--pes', '0:1,1');
    const tracks = await decodePerfetto(bytes);
    expect([...new Set(tracks.map(({ group }) => group))]).toEqual(['PE 0,1', 'PE 1,1']);
    for (const x of [0, 1]) {
      const cause = tracksOf(tracks, x, 1).get('cause');
      expect(cause?.slices[0].from).toBe(20);
      const expected = traced.core(x, 1).map((cycle) => cycle.cause);
      expect(cause && causesOf(cause)).toEqual(expected.slice(20, 60));
    }
  });

  test('ends where the file is full, whole up to there, and says so', async () => {
    const { folder, traced } = caseOf(4);
    const argv = ['kernel', '--spec', `${folder}/case.json`, '--trace'];
    for (const name of ['cut.pftrace', 'cut.json', 'cut.vcd']) {
      const megabytes = (await written(folder, `whole-${name}`)).length / 2 / 1e6;
      const { code, err } = await emulate([...argv, `${folder}/${name}`, '--max-mb', `${megabytes}`]);
      expect(code).toBe(0);
      const found = /full, ends before cycle (\d+); --window and --pes say what is to be in it/.exec(err);
      const end = Number(found?.[1]);
      expect(end, err).toBeGreaterThan(0);
      expect(end).toBeLessThan(traced.cycles);
      expect(statSync(`${folder}/${name}`).size).toBeLessThanOrEqual(megabytes * 1e6);
      if (name !== 'cut.pftrace') continue;
      const tracks = await decodePerfetto(readFileSync(`${folder}/${name}`));
      const cause = tracksOf(tracks, 0, 0).get('cause');
      const expected = traced.core(0, 0).map((cycle) => cycle.cause);
      expect(cause && causesOf(cause)).toEqual(expected.slice(0, end));
    }
    const { code, err } = await emulate([...argv, `${folder}/none.pftrace`, '--max-mb', '0.001']);
    expect(code).toBe(2);
    expect(err).toContain('tracks alone are larger');
  });
});

function nanoseconds(microseconds = NaN): number {
  return Math.round(1000 * microseconds);
}

const chromeSchema = z.object({
  traceEvents: z.array(
    z.object({
      ph: z.enum(['M', 'X', 'C']),
      name: z.string(),
      ts: z.number().optional(),
      dur: z.number().optional(),
      pid: z.number(),
      tid: z.number(),
      args: z.record(z.string(), z.union([z.number(), z.string()])),
    }),
  ),
});

test("a kernel in Chrome's format: the same slices and counters, a cycle being a nanosecond", async () => {
  const { folder } = caseOf(4);
  const tracks = await decodePerfetto(await written(folder, 'a.pftrace'));
  const text = new TextDecoder().decode(await written(folder, 'a.json'));
  const { traceEvents } = chromeSchema.parse(JSON.parse(text));
  const named = (ph: string, what: string): Map<number, string> =>
    new Map(
      traceEvents
        .filter((event) => event.ph === ph && event.name === what)
        .map(({ pid, tid, args }) => [what === 'process_name' ? pid : tid, `${args.name}`]),
    );
  const groups = named('M', 'process_name');
  const threads = named('M', 'thread_name');
  for (const track of tracks) {
    const slices = traceEvents
      .filter(({ ph, pid, tid }) => ph === 'X' && groups.get(pid) === track.group && threads.get(tid) === track.name)
      .map(({ name, ts, dur, args }) => {
        const from = nanoseconds(ts);
        return { name, from, until: from + nanoseconds(dur), details: args };
      });
    expect(slices, `${track.group}, ${track.name}`).toEqual(track.slices);
    const counts = traceEvents
      .filter(({ ph, pid, name }) => ph === 'C' && groups.get(pid) === track.group && name === track.name)
      .map(({ ts, args }) => [nanoseconds(ts), args.wavelets]);
    expect(counts, `${track.group}, ${track.name}`).toEqual(track.counts);
  }
});

test.skipIf(hasNoBrowser)('speedscope opens it in a browser and shows its tracks', async () => {
  const { folder, cols, rows } = caseOf(4);
  await written(folder, 'a.json');
  const page = fileURLToPath(new URL('../../node_modules/speedscope/dist/release/index.html', import.meta.url));
  const browser = await startBrowser();
  try {
    const tab = await browser.newPage();
    const errors: string[] = [];
    tab.on('pageerror', (error) => errors.push(error.message));
    await tab.goto(pathToFileURL(page).href);
    await tab.setInputFiles('input[type=file]', `${folder}/a.json`);
    await tab.waitForFunction('document.title.includes("a.json")');
    // One profile a track of slices: of each PE its causes and two threads.
    await tab
      .getByText(new RegExp(`\\(1/${3 * cols * rows}\\)`))
      .first()
      .waitFor();
    expect(errors).toEqual([]);
  } finally {
    await browser.close();
  }
});

/** Changes of the signals of a dump, by scope and name: cycle and value, unknown as null. */
function signalsOf(text: string): Map<string, [number, number | null][]> {
  const names = new Map<string, string>();
  const signals = new Map<string, [number, number | null][]>();
  const scopes: string[] = [];
  let at = 0;
  for (const line of text.split('\n')) {
    const words = line.split(' ');
    if (words[0] === '$scope') scopes.push(words[2]);
    else if (words[0] === '$upscope') scopes.pop();
    else if (words[0] === '$var') {
      const name = `${scopes.at(-1)} ${words[4]}`;
      names.set(words[3], name);
      signals.set(name, []);
    } else if (line.startsWith('#')) at = Number(line.slice(1));
    else if (/^b[01x]+ /.test(line))
      signals
        .get(names.get(words[1]) ?? '')
        ?.push([at, words[0].includes('x') ? null : parseInt(words[0].slice(1), 2)]);
  }
  return signals;
}

function expectCauses(text: string, { traced, cols, rows }: Case, from: number, until: number): void {
  const signals = signalsOf(text);
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < cols; x++) {
      const changes = signals.get(`PE_${x}_${y} cause`) ?? [];
      const causeAt = (t: number): CauseName | undefined => {
        const value = changes.findLast(([since]) => since <= t)?.[1];
        return typeof value === 'number' ? CAUSES[value] : undefined;
      };
      const shown = Array.from({ length: until - from }, (_, i) => causeAt(from + i));
      const expected = traced.core(x, y).map(({ cause }) => cause);
      expect(shown, `PE (${x},${y})`).toEqual(expected.slice(from, until));
      expect(causeAt(until)).toBeUndefined();
    }
}

test('a value change dump has the causes of all PEs in every cycle', async () => {
  const each = caseOf(4);
  const text = new TextDecoder().decode(await written(each.folder, 'a.vcd', '--window', '5:80'));
  expectCauses(text, each, 5, Math.min(81, each.traced.cycles));
});

test.skipIf(hasNoVcd2fst)('vcd2fst takes a value change dump and gives it back', async () => {
  const each = caseOf(4);
  const { folder } = each;
  await written(folder, 'a.vcd', '--window', '5:80');
  execFileSync(VCD2FST, [`${folder}/a.vcd`, `${folder}/a.fst`]);
  const back = execFileSync('fst2vcd', [`${folder}/a.fst`], { encoding: 'utf8' });
  expectCauses(back, each, 5, Math.min(81, each.traced.cycles));
});

async function refused(...argv: string[]): Promise<string> {
  const { code, err } = await emulate(argv);
  expect(code).toBe(2);
  return err;
}

test('flags of a trace stand with it, for one case', async () => {
  const { folder } = caseOf(4);
  const kernel = ['kernel', '--spec', `${folder}/case.json`];
  expect(await refused(...kernel, '--window', '0:3')).toContain('--window: got one without --trace');
  expect(await refused(...kernel, '--max-mb', '3')).toContain('--max-mb: got one without --trace');
  expect(await refused(...kernel, '--trace', '-')).toContain('--trace: got "-", allowed a file');
  expect(await refused(...kernel, '--trace', `${folder}/no/a`)).toContain('cannot be written');
  expect(await refused(...kernel, '--trace', `${folder}/a`, '--max-mb', 'x')).toContain('--max-mb: got "x", allowed');
  expect(await refused(...kernel, '--trace', `${folder}/a`, '--pes', '99,0')).toContain('--pes: got "99,0", allowed');
  const vectors = ['kernel', '--spec', 'test/vectors/machine-vectors.json', '--trace', `${folder}/a`];
  expect(await refused(...vectors)).toContain('cases, allowed one');
});
