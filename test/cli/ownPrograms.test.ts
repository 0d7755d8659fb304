// Programs of one's own in `emulate kernel --spec`, with real workers: what they take, a deadlock (exit 4) with the circle of
// those that wait, a broken law (exit 5) with the smallest program that breaks it, and what is refused.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EXIT } from '../../emulator/errors.ts';
import { type Emulated, emulate, folderWith } from './emulated.ts';

const machine = { rampLatency: 2, routerBuffer: 2, inputQueue: 6, outputQueue: 6, creditLatency: 1, resultLatency: 1 };
const base = { kernel: 'program', machine, width: 2, height: 1 };

/** Color 0 from the first PE to the second, color 1 back. */
const there = [
  { x: 0, y: 0, color: 0, from: 'R', to: ['E'] },
  { x: 1, y: 0, color: 0, from: 'W', to: ['R'] },
];
const back = [
  { x: 1, y: 0, color: 1, from: 'R', to: ['W'] },
  { x: 0, y: 0, color: 1, from: 'E', to: ['R'] },
];

function cores(first: readonly object[], second: readonly object[]): object[] {
  return [
    { x: 0, y: 0, threads: [first] },
    { x: 1, y: 0, threads: [second] },
  ];
}

const sound = { ...base, routes: there, cores: cores([{ slots: 5, output: 0 }], [{ slots: 5, input: 0 }]) };

const stuck = {
  ...base,
  routes: [...there, ...back],
  cores: cores(
    [
      { slots: 1, input: 1 },
      { slots: 1, output: 0 },
    ],
    [
      { slots: 1, input: 0 },
      { slots: 1, output: 1 },
    ],
  ),
};

function kernel(spec: object, ...more: string[]): Promise<Emulated> {
  return emulate(['kernel', '--spec', join(folderWith({ 'spec.json': spec }), 'spec.json'), ...more]);
}

test.each(['auto', 'stepped'])('a program that ends, %s', async (engine) => {
  const { code, out } = await kernel(sound, '--engine', engine);
  expect(code).toBe(0);
  // The first wavelet is a result after 1 cycle, passes two routers after a ramp of 2, and a ramp; then one a cycle.
  expect(JSON.parse(out)).toMatchObject({ cycles: 11, path: engine === 'auto' ? 'time stamps' : 'stepped mesh' });
});

test('streams, semaphores, control wavelets and causes', async () => {
  const { code, out } = await kernel({
    ...base,
    width: 1,
    height: 2,
    routes: [
      { x: 0, y: 0, color: 3, from: 'N', to: ['S'] },
      { x: 0, y: 1, color: 3, from: 'N', to: ['R'] },
    ],
    streams: [{ x: 0, y: 0, port: 'N', color: 3, gap: [3, 2], control: '001' }],
    edgeColors: [3],
    semaphores: 1,
    cores: [
      {
        x: 0,
        y: 1,
        threads: [
          [{ slots: 2, take: 0, cause: 'reduce' }],
          [
            { repeat: 2, overhead: 1, slots: 3, trigger: 3 },
            { slots: 1, trigger: 3, control: true, give: 0, cause: 'overhead' },
          ],
        ],
      },
    ],
  });
  expect(code).toBe(0);
  const { where } = JSON.parse(out);
  expect(where).toHaveLength(2);
  expect(where[1]).toMatchObject({ compute: 6, overhead: 3, reduce: 2, waitWeights: 4, done: 0 });
});

const circle = [
  'a circle of waiting:',
  '  PE (0,0) main thread (instruction 1 of 2) waits for a wavelet of color 1, its input queue is empty',
  '  to send it: PE (1,0) main thread (instruction 1 of 2) waits for a wavelet of color 0, its input queue is empty',
  '  to send it: back to PE (0,0) main thread (instruction 1 of 2)',
].join('\n');

test.each([[[]], [['--engine', 'stepped']], [['--engine', 'streamed']]])(
  'a deadlock is exit 4, with %j',
  async (more) => {
    const { code, out, err } = await kernel(stuck, ...more);
    expect(code).toBe(EXIT.deadlock);
    expect(err).toContain(circle);
    expect(JSON.parse(out)).toMatchObject({ engine: 'stepped', path: 'stepped mesh', cycles: 'deadlock', where: [] });
  },
);

test('of several cases all have a line, whichever of them end', async () => {
  const { code, out, err } = await kernel({ cases: [stuck, sound, { ...stuck, name: 'again' }] });
  expect(code).toBe(EXIT.deadlock);
  expect(err).toContain('2 of 3 cases end in deadlock, the first of them:\ndeadlock in program in cycle 0');
  const cycles = out
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line).cycles);
  expect(cycles).toEqual(['deadlock', 11, 'deadlock']);
});

test('a ring of full queues on a mesh in bands says the same for any number of workers', {
  timeout: 60_000,
}, async () => {
  const [width, height] = [16, 40];
  // Down column 0 and up again: every PE sends 40 wavelets to the next before it takes any.
  const routes: object[] = [];
  const ring: object[] = [];
  for (let y = 0; y < height; y++) {
    const even = y % 2;
    routes.push({ x: 0, y, color: even, from: 'R', to: [y + 1 < height ? 'S' : 'E'] });
    if (y > 0) routes.push({ x: 0, y, color: 1 - even, from: 'N', to: ['R'] });
    routes.push({ x: 1, y, color: 2 + even, from: 'R', to: [y > 0 ? 'N' : 'W'] });
    if (y + 1 < height) routes.push({ x: 1, y, color: 3 - even, from: 'S', to: ['R'] });
    const taken = [y > 0 ? 1 - even : 2, y + 1 < height ? 3 - even : 1];
    for (const x of [0, 1])
      ring.push({
        x,
        y,
        threads: [
          [
            { slots: 40, output: 2 * x + even },
            { slots: 40, input: taken[x] },
          ],
        ],
      });
  }
  routes.push({ x: 1, y: height - 1, color: 1, from: 'W', to: ['R'] }, { x: 0, y: 0, color: 2, from: 'E', to: ['R'] });
  const spec = { ...base, width, height, routes, cores: ring };
  const [one, two] = [
    await kernel(spec, '--engine', 'stepped', '--workers', '1'),
    await kernel(spec, '--engine', 'stepped', '--workers', '2'),
  ];
  expect(one.code).toBe(EXIT.deadlock);
  expect(one.err).toContain('a circle of waiting:');
  expect(one.err).toContain('to make room: back to PE (0,0) main thread (instruction 1 of 2)');
  expect(two).toEqual(one);
});

test('wavelets that nobody takes are a broken law, shown by the smallest program', async () => {
  const folder = folderWith({
    'spec.json': {
      ...base,
      width: 5,
      height: 4,
      routes: [...there, ...back],
      streams: [],
      cores: cores([{ slots: 50, output: 0 }, { slots: 3 }], [{ slots: 48, input: 0 }]),
    },
  });
  const json = join(folder, 'out.json');
  const argv = ['kernel', '--spec', join(folder, 'spec.json'), '--json', json];
  const { code, out, err } = await emulate(argv);
  expect({ code, out }).toEqual({ code: EXIT.lawBroken, out: '' });
  expect(err).toContain('law broken in program: wavelets in = out: 2 of color 0 left in the input queue of PE (1,0)');
  const [file, ...others] = readdirSync(folder).filter((name) => name !== 'spec.json');
  expect(others).toEqual([]);
  expect(err).toContain(`it breaks the law again with: emulate kernel --spec ${join(folder, file)}`);
  const again = await emulate(['kernel', '--spec', join(folder, file), '--json', json]);
  expect(again).toMatchObject({ code: EXIT.lawBroken, out: '' });
  const smallest: unknown = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  expect(smallest).toMatchObject({
    width: 2,
    height: 1,
    routes: there,
    cores: [{ x: 0, y: 0, threads: [[{ repeat: 1, slots: 1, output: 0 }]] }],
  });
});

test.each([
  [{ routes: [...there, ...there] }, /no machine can run it: two routes of color 0 at 0,0/],
  [{ routes: there.slice(0, 1) }, /no machine can run it: color 0 leaves 0,0 by E to no route/],
  [
    { streams: [{ x: 0, y: 0, port: 'N', color: 0, control: '0' }] },
    /stream of color 0 enters 0,0 where no route takes/,
  ],
  [
    { streams: [{ x: 0, y: 0, port: 'N', color: 0, control: '0', gap: [1, 2] }] },
    /streams\.0\.gap: not a gap, got \[1,2\]/,
  ],
  [{ cores: cores([{ slots: 1, take: 0 }], []) }, /threads\.0\.0: no such semaphore, got 0, allowed less than/],
  [{ cores: [{ x: 2, y: 0, threads: [] }] }, /cores\.0: no place for it, got \(2,0\)/],
  [{ cores: cores([{ slots: 1, input: 1 }], []) }, /no machine can run it: PE 0 uses a color/],
  [{ width: 60_000, height: 60_000 }, /width: too large, got 60000 x 60000 PEs/],
  [{ routes: [{ x: 0, y: 0, color: 0, from: 'Q', to: ['E'] }] }, /routes\.0\.from: unknown value, got "Q"/],
])('refuses a program, %#', async (parts, message) => {
  const { code, out, err } = await kernel({ ...sound, ...parts });
  expect({ code, out }).toEqual({ code: EXIT.input, out: '' });
  expect(err).toMatch(message);
});
