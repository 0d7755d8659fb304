// The gradients of a linear layer with values on a mesh against plain loops: by the weights, only where they are, and by the
// activation, through the transposed matrix.

import { describe, expect, test } from 'vitest';
import type { Machine } from '../../emulator/machine/spec.ts';
import { linearBackward } from '../../kernels/reference/linear.ts';
import { featureCount, type Layout, localFeatures, placesOf } from '../../kernels/spmm/layout.ts';
import { columnOf } from '../../emulator/program/ring.ts';
import { linearOnMesh } from '../../kernels/values/linearOnMesh.ts';
import { layWords, MeshRun } from '../../kernels/values/meshRun.ts';
import { weightGradientOnMesh } from '../../kernels/values/weightGradientOnMesh.ts';
import type { Accumulate } from '../../kernels/weightGradient/shape.ts';
import { draws } from '../fixtures/draws.ts';
import { anyLatencies, machineWith, rateOneLatencies, WSE2 } from '../fixtures/machines.ts';
import { drawHalves } from './draw.ts';

interface LinearCase {
  readonly machine: Machine;
  readonly rows: number;
  readonly cols: number;
  readonly tokens: number;
  readonly input: Layout;
  readonly output: Layout;
  readonly buffers: number;
  readonly features: number;
  readonly accumulate: Accumulate;
  /** [out][in], strewn with zeros. */
  readonly weight: Float32Array;
  /** [token][in], and for each place of the output layout [place][token], so that copies differ. */
  readonly x: Float32Array;
  readonly dout: Float32Array;
}

function caseOf(seed: number): LinearCase {
  const draw = draws(seed);
  const { int, pick, chance } = draw;
  const cols = int(1, 9);
  const strided = (most: number): Layout => ({ kind: 'strided', features: int(1, most) });
  const gated = (): Layout => ({ kind: 'strided', features: 2 * int(1, 12), parts: 2 });
  const byHead = (own: readonly number[]): Layout => ({
    kind: 'heads',
    heads: 4,
    headDim: 2 * int(1, 4),
    pairs: chance(0.5),
    parts: own,
  });
  const input = pick([() => strided(30), () => byHead([4])])();
  const output = pick([() => strided(40), gated, () => byHead([4, 4, 4]), () => byHead([4, 2, 1])])();
  const [rows, tokens] = [int(1, 4), pick([int(1, 8), int(9, 30)])];
  const sparsity = pick([0, 0.5, 0.75, 0.95, 1]);
  const zeros = draws(seed + 1000);
  const weight = drawHalves(featureCount(output) * featureCount(input), seed).map((w) =>
    zeros.chance(sparsity) ? 0 : w,
  );
  const machine = machineWith(pick([() => WSE2, () => rateOneLatencies(draw), () => anyLatencies(draw)])());
  return {
    // An edge of a few wavelets a cycle, too.
    machine: chance(0.3) ? { ...machine, edge: { ...machine.edge, bitsPerSecond: 1.3e11 } } : machine,
    rows,
    cols,
    tokens,
    input,
    output,
    weight,
    buffers: int(1, 5),
    features: int(1, 30),
    accumulate: pick(['fp16', 'fp32']),
    x: drawHalves(rows * tokens * featureCount(input), seed + 1),
    dout: drawHalves(localFeatures(output, cols) * cols * rows * tokens, seed + 2),
  };
}

interface Gradients {
  readonly weight: Float32Array;
  /** [token][in] */
  readonly dinp: Float32Array;
}

type Fault = (mesh: MeshRun, at: { readonly input: number; readonly gradient: number }, one: LinearCase) => void;

function onMesh(one: LinearCase, fault?: Fault): Gradients {
  const { machine, rows, cols, tokens, input, output, weight, x, dout, buffers } = one;
  const inputs = localFeatures(input, cols) * tokens;
  const room = 1 + 2 * weight.length;
  const { at, words } = layWords({
    input: inputs,
    gradient: localFeatures(output, cols) * tokens,
    arrived: buffers * tokens,
    sums: room,
    dinp: inputs,
    accumulators: buffers * tokens,
  });
  const mesh = new MeshRun(machine, rows, cols, words);
  const word = (y: number, place: number): number =>
    (y * cols + columnOf(place % cols, cols)) * words + Math.floor(place / cols) * tokens;
  const T = rows * tokens;
  const inputPlaces = placesOf(input, cols);
  const width = featureCount(input);
  for (let y = 0; y < rows; y++)
    for (let t = 0; t < tokens; t++) {
      inputPlaces.forEach((feature, place) => {
        if (feature >= 0) mesh.memory[word(y, place) + at.input + t] = x[(y * tokens + t) * width + feature];
      });
      placesOf(output, cols).forEach((_, place) => {
        mesh.memory[word(y, place) + at.gradient + t] = dout[place * T + y * tokens + t];
      });
    }
  fault?.(mesh, at, one);
  const gradient = weightGradientOnMesh(mesh, 'w', { ...one, at, room });
  const turned = { transposed: true, bias: null, input: output, output: input, accumulators: buffers } as const;
  const places = { input: at.gradient, output: at.dinp, sums: at.accumulators };
  linearOnMesh(mesh, 'x', { ...turned, weight, tokens, at: places });
  const dinp = new Float32Array(T * width);
  for (let y = 0; y < rows; y++)
    for (let t = 0; t < tokens; t++)
      inputPlaces.forEach((feature, place) => {
        if (feature >= 0) dinp[(y * tokens + t) * width + feature] = mesh.memory[word(y, place) + at.dinp + t];
      });
  return { weight: gradient, dinp };
}

/** Every copy of an output feature is one of its own, whose gradients by the weights are added. */
function inLoops({ rows, cols, tokens, input, output, weight, x, dout }: LinearCase, size: (value: number) => number) {
  const T = rows * tokens;
  const width = featureCount(input);
  const places = [...placesOf(output, cols).entries()].filter(([, feature]) => feature >= 0);
  const copies = Float64Array.from({ length: places.length * width }, (_, i) =>
    size(weight[places[Math.floor(i / width)][1] * width + (i % width)]),
  );
  const gradient = Float64Array.from({ length: T * places.length }, (_, i) =>
    size(dout[places[i % places.length][0] * T + Math.floor(i / places.length)]),
  );
  const { dinp, weight: ofCopies } = linearBackward(x.map(size), copies, gradient, T);
  const byWeight = new Float64Array(weight.length);
  ofCopies.forEach((value, i) => {
    const at = places[Math.floor(i / width)][1] * width + (i % width);
    if (weight[at] !== 0) byWeight[at] += value;
  });
  return { weight: byWeight, dinp };
}

/**
 * The farthest of the gradients as a share of what their roundings can make of them: each of at most `roundings` that a product
 * passes through moves it by one part in 2^11, in fp32 in 2^24, and by less than the smallest fp16 value.
 */
function farthest(one: LinearCase, fault?: Fault): { weight: number; dinp: number } {
  const { rows, cols, tokens, output, accumulate } = one;
  const got = onMesh(one, fault);
  const exact = inLoops(one, (value) => value);
  const magnitude = inLoops(one, Math.abs);
  const share = (of: 'weight' | 'dinp', roundings: number, unit: number, least: number): number => {
    let most = 0;
    exact[of].forEach((value, i) => {
      const limit = roundings * (magnitude[of][i] * unit * 1.02 + least);
      const error = Math.abs(got[of][i] - value);
      // No weight has no gradient, exactly.
      most = Math.max(most, magnitude[of][i] === 0 ? (error === 0 ? 0 : Infinity) : error / limit);
    });
    return most;
  };
  const half = accumulate === 'fp16';
  return {
    weight: share('weight', tokens + rows + 4, 2 ** (half ? -11 : -24), half ? 2 ** -25 : 0),
    dinp: share('dinp', 1 + localFeatures(output, cols) + cols, 2 ** -11, 2 ** -25),
  };
}

const CASES = Array.from({ length: 120 }, (_, seed) => caseOf(seed + 1));

/** The largest gradient of the first PE row that some weight meets has the other sign. */
const wrongSign: Fault = (mesh, at, { input, output, weight, cols, tokens }) => {
  const width = featureCount(input);
  let largest = -1;
  placesOf(output, cols).forEach((feature, place) => {
    if (feature < 0 || weight.subarray(feature * width, (feature + 1) * width).every((w) => w === 0)) return;
    const first = columnOf(place % cols, cols) * mesh.words + at.gradient + Math.floor(place / cols) * tokens;
    for (let i = first; i < first + tokens; i++)
      if (largest < 0 || Math.abs(mesh.memory[i]) > Math.abs(mesh.memory[largest])) largest = i;
  });
  mesh.memory[largest] *= -1;
};

describe('random layers', () => {
  test('are the reference within the roundings of fp16, and of fp32 where sums are', () => {
    CASES.forEach((one, i) => {
      const { weight, dinp } = farthest(one);
      const { weight: _, x: __, dout: ___, ...sizes } = one;
      const message = `seed ${i + 1}: ${JSON.stringify(sizes)}`;
      expect(weight, message).toBeLessThanOrEqual(1);
      expect(dinp, message).toBeLessThanOrEqual(1);
    });
  });

  test('one gradient of one token with the wrong sign is found in both', () => {
    let faults = 0;
    for (const one of CASES) {
      if (one.weight.every((w) => w === 0)) continue;
      const { weight, dinp } = farthest(one, wrongSign);
      expect(weight).toBeGreaterThan(2);
      expect(dinp).toBeGreaterThan(2);
      faults++;
    }
    expect(faults).toBeGreaterThan(80);
  });

  test('too little room for the sums is a defect, and not another operand overwritten', () => {
    const { cols, rows, machine, ...layer } = CASES[0];
    const mesh = new MeshRun(machine, rows, cols, 1);
    const at = { input: 0, gradient: 0, arrived: 0, sums: 0 };
    expect(() => weightGradientOnMesh(mesh, 'w', { ...layer, at, room: 1 })).toThrow(
      /^internal: sums of w take \d+ words, there are 1$/,
    );
  });
});
