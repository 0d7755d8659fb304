// What others call the fields of a case: the columns of published kernel tables (validation/), PyTorch, Hugging Face, and
// the letters of papers. Upper case, "_" and "-" do not count. A field under two names is an error, not a choice.

import { gpuNameOf } from './presets.ts';

export interface Fault {
  /** Where, under the names the user wrote. */
  readonly path: readonly (string | number)[];
  readonly on: 'key' | 'value';
  readonly text: string;
}

export interface Spelled {
  /** The case under our names. */
  readonly value: unknown;
  /** The user's name of each field of ours. */
  readonly given: ReadonlyMap<string, string>;
  readonly faults: readonly Fault[];
}

type Names = Readonly<Record<string, string>>;

const product: Names = {
  tokens: 'm',
  outfeatures: 'n',
  infeatures: 'k',
  batchsize: 'batch',
  elementbytes: 'bytes',
  runlen: 'runSeconds',
  runlength: 'runSeconds',
};

const fieldNames: Readonly<Record<string, Names>> = {
  gemm: product,
  spmm: product,
  attention: {
    b: 'batch',
    batchsize: 'batch',
    s: 'sequence',
    seq: 'sequence',
    seqlen: 'sequence',
    sequencelength: 'sequence',
    h: 'heads',
    nheads: 'heads',
    numheads: 'heads',
    numattentionheads: 'heads',
    qheads: 'heads',
    numkvheads: 'kvHeads',
    numkeyvalueheads: 'kvHeads',
    d: 'headDim',
    headsize: 'headDim',
    mode: 'pass',
    elementbytes: 'bytes',
  },
  elementwise: { cols: 'columns', operator: 'kind', operation: 'kind' },
};

/** Operators under other names, and what else the name says. */
const opNames: Readonly<Record<string, Names>> = {
  gemm: { op: 'gemm' },
  matmul: { op: 'gemm' },
  spmm: { op: 'spmm' },
  attention: { op: 'attention' },
  flashattention: { op: 'attention' },
  attentionfwd: { op: 'attention', pass: 'forward' },
  attentionforward: { op: 'attention', pass: 'forward' },
  attentionbwd: { op: 'attention', pass: 'backward' },
  attentionbackward: { op: 'attention', pass: 'backward' },
  attentiondecode: { op: 'attention', pass: 'decode' },
  attentionunfused: { op: 'attention', pass: 'unfused' },
  elementwise: { op: 'elementwise' },
  copy: { op: 'elementwise', kind: 'copy' },
  bias: { op: 'elementwise', kind: 'bias' },
  add: { op: 'elementwise', kind: 'add' },
  residual: { op: 'elementwise', kind: 'residual' },
  glu: { op: 'elementwise', kind: 'glu' },
  gelu: { op: 'elementwise', kind: 'gelu' },
  layernorm: { op: 'elementwise', kind: 'layernorm' },
  rmsnorm: { op: 'elementwise', kind: 'rmsnorm' },
  softmax: { op: 'elementwise', kind: 'softmax' },
};

const valueNames: Readonly<Record<string, Names>> = {
  pass: { fwd: 'forward', prefill: 'forward', context: 'forward', bwd: 'backward', generation: 'decode' },
  kind: { ln: 'layernorm', inputlayernorm: 'rmsnorm', addu: 'scale', mlpact: 'glu' },
};

/** Our own names, by their plain form. */
const ownNames: Names = Object.fromEntries(
  (
    'gpu batch bytes m n k sparse24 runSeconds repeats sparsity method ' +
    'sequence heads kvHeads headDim causal pass kind rows columns elementBytes'
  )
    .split(' ')
    .map((name) => [plain(name), name]),
);

/** A case under our names. `path` leads to it. */
export function spelled(raw: unknown, path: Fault['path']): Spelled {
  const given = new Map<string, string>();
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return { value: raw, given, faults: [] };
  const meant = opMeant('op' in raw ? raw.op : undefined);
  const value = new Map<string, unknown>();
  const faults: Fault[] = [];
  const set = (field: string, key: string, content: unknown): void => {
    const other = given.get(field);
    if (other !== undefined) {
      const text = `${field} is given twice, as "${other}" and as "${key}", allowed one of the two`;
      faults.push({ path: [...path, key], on: 'key', text });
    }
    given.set(field, key);
    value.set(field, content);
  };
  for (const [field, content] of Object.entries(meant)) set(field, 'op', content);
  for (const [key, content] of Object.entries(raw)) {
    if (key === 'op' && 'op' in meant) continue;
    const field = fieldMeant(key, meant.op);
    set(field, key, field === 'gpu' && typeof content === 'string' ? gpuNameOf(content) : valueMeant(field, content));
  }
  return { value: Object.fromEntries(value), given, faults };
}

function opMeant(op: unknown): Names {
  const name = typeof op === 'string' ? plain(op) : '';
  return Object.hasOwn(opNames, name) ? opNames[name] : {};
}

function fieldMeant(key: string, op: string | undefined): string {
  const name = plain(key);
  const names = op === undefined ? {} : fieldNames[op];
  if (Object.hasOwn(names, name)) return names[name];
  return Object.hasOwn(ownNames, name) ? ownNames[name] : key;
}

function valueMeant(field: string, content: unknown): unknown {
  if (typeof content !== 'string' || !Object.hasOwn(valueNames, field)) return content;
  const names = valueNames[field];
  const name = plain(content);
  return Object.hasOwn(names, name) ? names[name] : content;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '');
}
