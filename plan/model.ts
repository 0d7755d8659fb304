// The model of a plan: a preset, a model file, or a model written out within the plan. What is wrong with it is said where it
// stands: a model within a plan is read as a file of its own in which everything around it is blank.

import { dirname, isAbsolute, join } from 'node:path';
import { type Document, parseDocument, readText } from '../compiler/model/document.ts';
import { treeOf } from '../compiler/model/jsonc.ts';
import { documentOf } from '../compiler/model/load.ts';
import { failureOf, flagFor } from '../compiler/model/located.ts';
import { type Path, startsWith } from '../compiler/model/paths.ts';
import { isGptPreset } from '../compiler/model/presets.ts';
import { resolveModel } from '../compiler/model/resolve.ts';
import type { GptSpec } from '../compiler/model/spec.ts';

const HERE: Path = ['model'];

/** `value` is what a checked plan has as its model. */
export function modelOf(plan: Document, value: unknown): GptSpec {
  const spec = resolveModel(typeof value === 'string' ? named(plan, value) : within(plan));
  if (spec.kind === 'gpt') return spec;
  const text = 'a matmul, allowed a GPT: a plan trains a whole model';
  throw failureOf(plan, [{ path: HERE, on: 'value', text }]);
}

/** A path stands relative to the plan; on the command line, to the working directory. */
function named(plan: Document, name: string): Document {
  const isFlag = flagFor(plan, HERE) !== undefined;
  const file = isFlag || isAbsolute(name) ? name : join(dirname(plan.name), name);
  const reading = readText(file);
  if ('text' in reading) return parseDocument(file, reading.text);
  if (isGptPreset(name)) return documentOf(name);
  const text = `${file}: ${reading.problem}, and no such preset (emulate list models)`;
  throw failureOf(plan, [{ path: HERE, on: 'value', text }]);
}

function within(plan: Document): Document {
  const value: unknown = Object(plan.value).model;
  const flags = plan.flags
    .filter(({ path }) => startsWith(path, HERE))
    .map(({ path, text }) => ({ path: path.slice(HERE.length), text }));
  const node = plan.text === null ? undefined : treeOf(plan.text)?.root?.children?.findLast(isModel)?.children?.[1];
  if (plan.text === null || node === undefined) return { name: plan.name, text: null, value, flags };
  const [from, to] = [node.offset, node.offset + node.length];
  const text = blank(plan.text.slice(0, from)) + plan.text.slice(from, to) + blank(plan.text.slice(to));
  return { name: plan.name, text, value, flags };
}

/** Lines and columns stay. */
function blank(text: string): string {
  return text.replace(/[^\r\n]/g, ' ');
}

interface JsonNode {
  readonly value?: unknown;
  readonly children?: readonly JsonNode[];
}

function isModel({ children }: JsonNode): boolean {
  return children?.[0].value === 'model';
}
