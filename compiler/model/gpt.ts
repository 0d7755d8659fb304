// The shape and workload of a GPT: the preset's shape with the file's fields over it, the derived fields, and the rules
// between fields. A broken rule is shown at the field that the user gave.

import type { Document } from './document.ts';
import { failureOf, placeToBlame, show, type Issue } from './located.ts';
import { gptPresets, isGptPreset, type PresetShape } from './presets.ts';
import type { GptDocument } from './schema.ts';
import type { GptShape } from './shape.ts';
import type { Workload } from './spec.ts';
import { workloadOf } from './workload.ts';

export interface Gpt {
  /** Of the preset; `null` without one. */
  readonly name: string | null;
  readonly shape: GptShape;
  readonly workload: Workload;
}

export function gptOf(document: Document, file: GptDocument): Gpt {
  const { preset } = file;
  const shape = shapeOf(document, file, isGptPreset(preset) ? gptPresets[preset].shape : {});
  const issues = [...brokenRules(document, file, shape)];
  const sequence = file.workload.sequence ?? shape.context;
  if (sequence > shape.context) {
    const context = `the context${preset === undefined || file.context !== undefined ? '' : ` of ${preset}`}`;
    const text = `longer than ${context}, got ${sequence}, allowed a whole number 1 to ${shape.context}`;
    issues.push(issueAt(document, [['workload', 'sequence'], ['context']], text));
  }
  const { batch, kind, recompute } = file.workload;
  const workload = workloadOf(document, { kind, recompute, batch, sequence }, issues);
  const isOwn = Object.keys(shape).some((field) => Object.hasOwn(file, field));
  return { name: preset === undefined ? null : `${preset}${isOwn ? ' (modified)' : ''}`, shape, workload };
}

type Sizes = 'layers' | 'width' | 'heads' | 'vocabulary' | 'context';

/** What the file leaves out is the preset's; what that has not either is as in GPT-2. */
function shapeOf(document: Document, file: GptDocument, base: Partial<PresetShape>): GptShape {
  const { layers, width, heads, vocabulary, context } = sizesOf(document, file, base);
  const headDim = file.headDim ?? width / heads;
  const positions = file.positions ?? base.positions ?? 'learned';
  const rotaryDim = file.rotaryDim ?? base.rotaryDim ?? headDim;
  const bias = typeof file.bias === 'boolean' ? { attention: file.bias, mlp: file.bias } : file.bias;
  return {
    layers,
    width,
    heads,
    kvHeads: file.kvHeads ?? heads,
    headDim,
    ff: file.ff ?? base.ff ?? 4 * width,
    vocabulary,
    context,
    activation: file.activation ?? base.activation ?? 'gelu',
    norm: file.norm ?? base.norm ?? 'layernorm',
    positions,
    rotaryDim: positions === 'rotary' ? rotaryDim : 0,
    parallelBlocks: file.parallelBlocks ?? base.parallelBlocks ?? false,
    bias: {
      attention: bias?.attention ?? base.bias?.attention ?? true,
      mlp: bias?.mlp ?? base.bias?.mlp ?? true,
    },
    tiedHead: file.tiedHead ?? base.tiedHead ?? true,
  };
}

function sizesOf(document: Document, file: GptDocument, base: Partial<PresetShape>): Pick<GptShape, Sizes> {
  const missing: string[] = [];
  const size = (field: Sizes): number => {
    const value = file[field] ?? base[field];
    if (value === undefined) missing.push(field);
    return value ?? 0;
  };
  const sizes = {
    layers: size('layers'),
    width: size('width'),
    heads: size('heads'),
    vocabulary: size('vocabulary'),
    context: size('context'),
  };
  if (missing.length === 0) return sizes;
  const text = `missing ${missing.join(', ')}; give them, or a shape to start from, e.g. "preset": "gpt3-xl"`;
  throw failureOf(document, [{ path: [], on: 'value', text }]);
}

function* brokenRules(document: Document, file: GptDocument, shape: GptShape): Generator<Issue> {
  const { width, heads, kvHeads, headDim, positions, rotaryDim } = shape;
  if (!Number.isInteger(headDim)) {
    const text = `width does not divide into heads, got ${width} / ${heads}, allowed a width that is a multiple of heads`;
    yield issueAt(document, [['heads'], ['width']], text);
    return;
  }
  if (heads * headDim !== width) {
    const text = `heads x headDim is not width, got ${heads} x ${headDim} = ${heads * headDim}, allowed ${width}`;
    yield issueAt(document, [['headDim'], ['heads'], ['width']], text);
    return;
  }
  if (heads % kvHeads !== 0) {
    const text = `heads do not divide into kvHeads, got ${heads} / ${kvHeads}, allowed a divisor of ${heads}`;
    yield issueAt(document, [['kvHeads'], ['heads']], text);
  }
  if (file.rotaryDim !== undefined && positions !== 'rotary') {
    const text = `nothing rotates, got positions ${show(positions)}, allowed only with positions "rotary"`;
    yield issueAt(document, [['rotaryDim'], ['positions']], text);
  }
  if (rotaryDim % 2 !== 0 || rotaryDim > headDim) {
    const text = `not pairs of features of a head, got ${rotaryDim}, allowed an even number up to headDim ${headDim}`;
    yield issueAt(document, [['rotaryDim'], ['headDim'], ['heads'], ['width']], text);
  }
}

function issueAt(document: Document, paths: Parameters<typeof placeToBlame>[1], text: string): Issue {
  return { path: placeToBlame(document, paths), on: 'value', text };
}
