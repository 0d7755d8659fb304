// ONNX (onnx.proto3, release 1.16): the weights of MatMul and Gemm nodes, initializers or constants, with the name of the
// weight or, where an exporter has given it none, that of the node: "/model/layers.0/mlp/up_proj/MatMul" is
// model.layers.0.mlp.up_proj.weight. A weight of MatMul is [in][out], one of Gemm with transB [out][in].

import { inputError } from '../emulator/errors.ts';
import { Cursor } from './cursor.ts';
import { withFile } from './file.ts';
import { onnxTensor } from './onnxTensor.ts';
import { fieldsOf, type Span, textOf } from './protobuf.ts';
import { shown, type Tensor } from './tensor.ts';

export interface OnnxWeight extends Tensor {
  /** Input features are the rows. */
  readonly isInOut: boolean;
}

interface Node {
  readonly name: string;
  readonly type: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** Whole numbers by name: transB. */
  readonly flags: ReadonlyMap<string, number>;
  /** perm of a Transpose swaps two indices. */
  readonly constant: Span | undefined;
}

/** Names that exporters make up. */
const MADE_UP = /^$|^onnx::|^\d+$|^_|constant|^(?:w|val|t)_?\d+$/i;

export function readOnnx(path: string): OnnxWeight[] {
  return withFile(path, (file) => {
    const cursor = new Cursor(file);
    const { nodes, initializers } = graphOf(cursor, { at: 0, end: file.bytes }, path);
    const byOutput = new Map(nodes.map((node) => [node.output, node]));
    const weights = new Map<string, OnnxWeight>();
    for (const node of nodes) {
      const found = weightOf(node, byOutput, initializers);
      if (found === undefined) continue;
      const tensor = onnxTensor(cursor, found.span, path);
      if (tensor === undefined || tensor.shape.length !== 2) continue;
      const isInOut = (node.type === 'Gemm' && node.flags.get('transB') === 1) === found.isTurned;
      const name = nameOf(found.name, node);
      const twin = weights.get(name);
      if (twin !== undefined && twin.offset !== tensor.offset)
        throw inputError(`${path}: two weights are called ${shown(name)}, of nodes like ${shown(node.name)}`);
      weights.set(name, { ...tensor, name, isInOut });
    }
    if (nodes.length === 0) throw inputError(`${path}: not an ONNX model, it has no graph with nodes`);
    return [...weights.values()];
  });
}

function nameOf(weight: string, node: Node): string {
  if (!MADE_UP.test(weight) || node.name === '') return weight;
  const scopes = node.name.replace(/^\//, '').split('/').slice(0, -1);
  return `${(scopes.length > 0 ? scopes : [node.name]).join('.')}.weight`;
}

interface Found {
  readonly span: Span;
  readonly name: string;
  readonly isTurned: boolean;
}

/** The tensor that a node multiplies by, behind Identity, Cast and Transpose. */
function weightOf(
  { type, inputs }: Node,
  byOutput: ReadonlyMap<string, Node>,
  initializers: ReadonlyMap<string, Span>,
): Found | undefined {
  if ((type !== 'MatMul' && type !== 'Gemm') || inputs.length < 2) return undefined;
  let name = inputs[1];
  let isTurned = false;
  for (let steps = 0; steps < 8; steps++) {
    const span = initializers.get(name);
    if (span !== undefined) return { span, name, isTurned };
    const made = byOutput.get(name);
    if (made === undefined) return undefined;
    if (made.constant !== undefined) return { span: made.constant, name, isTurned };
    if (!['Identity', 'Cast', 'Transpose'].includes(made.type)) return undefined;
    if (made.type === 'Transpose') isTurned = !isTurned;
    [name] = made.inputs;
  }
  return undefined;
}

function graphOf(cursor: Cursor, model: Span, path: string): { nodes: Node[]; initializers: Map<string, Span> } {
  const nodes: Node[] = [];
  const initializers = new Map<string, Span>();
  for (const field of fieldsOf(cursor, model, path)) {
    if (field.number !== 7 || field.wire !== 'bytes') continue;
    for (const part of fieldsOf(cursor, field.span, path)) {
      if (part.wire !== 'bytes') continue;
      if (part.number === 1) nodes.push(nodeOf(cursor, part.span, path));
      if (part.number === 5) initializers.set(fieldText(cursor, part.span, 8, path), part.span);
    }
  }
  return { nodes, initializers };
}

function fieldText(cursor: Cursor, span: Span, number: number, path: string): string {
  for (const field of fieldsOf(cursor, span, path))
    if (field.number === number && field.wire === 'bytes') return textOf(cursor, field.span, path);
  return '';
}

function nodeOf(cursor: Cursor, span: Span, path: string): Node {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const flags = new Map<string, number>();
  let name = '';
  let type = '';
  let constant: Span | undefined;
  for (const field of fieldsOf(cursor, span, path)) {
    if (field.wire !== 'bytes') continue;
    if (field.number === 1) inputs.push(textOf(cursor, field.span, path));
    else if (field.number === 2) outputs.push(textOf(cursor, field.span, path));
    else if (field.number === 3) name = textOf(cursor, field.span, path);
    else if (field.number === 4) type = textOf(cursor, field.span, path);
    else if (field.number === 5) {
      for (const part of fieldsOf(cursor, field.span, path)) {
        if (part.number === 3 && part.wire === 'varint') flags.set(fieldText(cursor, field.span, 1, path), part.value);
        if (part.number === 5 && part.wire === 'bytes') constant = part.span;
      }
    }
  }
  return { name, type, inputs, output: outputs[0] ?? '', flags, constant: type === 'Constant' ? constant : undefined };
}
