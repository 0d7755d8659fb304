// What the command line changes in a model file before it is checked: `--sparsity 0.5`, `--machine wse3`, `--gpu h100`, and
// any value by its path, `--set machine.core.simdFp16=8`. A value that the file gives in a short form is first written out
// (0.75 as {value: 0.75}, "wse2" as {preset: "wse2"}), so that a path into it has something to change.

import { inputError } from '../../emulator/errors.ts';
import { readDocument, type Document, type Flag } from './document.ts';
import { failureOf, show } from './located.ts';
import { isObject, startsWith, valueAt, withValueAt, type Path } from './paths.ts';
import { mappingDocument } from './schema.ts';
import { validate } from './validate.ts';

export interface Overrides {
  readonly sparsity?: string | number | undefined;
  readonly machine?: string | undefined;
  readonly gpu?: string | undefined;
  /** The path of a mapping file. */
  readonly mapping?: string | undefined;
  /** `path=value`, the value in JSON or else as text; later ones win. */
  readonly set?: readonly string[] | undefined;
  /** The same for the fields that differ between the points of a sweep. */
  readonly vary?: readonly string[] | undefined;
}

interface Change extends Flag {
  readonly value: unknown;
}

/** The deepest value of a model file is machine.core.simdFp16.source. */
const DEEPEST_PATH = 4;

export function applyOverrides(document: Document, overrides: Overrides): Document {
  const changes = changesOf(document, overrides);
  return isObject(document.value) ? changes.reduce(applied, document) : document;
}

function changesOf(document: Document, { sparsity, machine, gpu, mapping, set, vary }: Overrides): Change[] {
  const changes: Change[] = [];
  if (machine !== undefined) changes.push({ path: ['machine'], text: `--machine ${machine}`, value: machine });
  if (gpu !== undefined) changes.push({ path: ['gpu'], text: `--gpu ${gpu}`, value: gpu });
  if (sparsity !== undefined) {
    // Seed and choice of matrices stay as the file has them.
    const path = isObject(valueAt(document.value, ['sparsity'])) ? ['sparsity', 'value'] : ['sparsity'];
    changes.push({ path, text: `--sparsity ${sparsity}`, value: jsonOrText(String(sparsity)) });
  }
  if (mapping !== undefined) {
    const file = readDocument(mapping);
    validate(file, mappingDocument);
    changes.push({ path: ['mapping'], text: `--mapping ${mapping}`, value: file.value });
  }
  return withVaried([...changes, ...(set ?? []).map((each) => changeOf('--set', each))], vary ?? []);
}

/** What lies within a field is set after it: a varied machine keeps the constants that are fixed or varied beside it. */
function withVaried(fixed: readonly Change[], vary: readonly string[]): Change[] {
  const varied = vary.map(variedBy).toSorted((a, b) => a.path.length - b.path.length);
  const isAround = ({ path }: Change): boolean =>
    fixed.some((inner) => inner.path.length > path.length && startsWith(inner.path, path));
  return [...varied.filter(isAround), ...fixed, ...varied.filter((each) => !isAround(each))];
}

/** As with --sparsity, another share leaves seed and choice of matrices as they are. */
function variedBy(assignment: string): Change {
  const change = changeOf('--vary', assignment);
  const isShare = change.path.join('.') === 'sparsity' && !isObject(change.value);
  return isShare ? { ...change, path: ['sparsity', 'value'] } : change;
}

function changeOf(flag: string, assignment: string): Change {
  const text = `${flag} ${assignment}`;
  const equals = assignment.indexOf('=');
  const path = assignment.slice(0, Math.max(equals, 0)).split('.');
  if (equals < 1 || path.includes('')) {
    throw inputError(`${flag}: not path=value, got ${show(assignment)}, allowed e.g. sparsity.value=0.5`);
  }
  if (path.length > DEEPEST_PATH) {
    throw inputError(
      `${flag}: no such path, got ${show(assignment)}, allowed at most ${DEEPEST_PATH} names and dots between`,
    );
  }
  return { path, text, value: jsonOrText(assignment.slice(equals + 1)) };
}

export function jsonOrText(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function applied(document: Document, { path, text, value }: Change): Document {
  let root = document.value;
  for (let length = 1; length < path.length; length++) {
    const holder = path.slice(0, length);
    const written = writtenOut(holder, valueAt(root, holder));
    if (!isObject(written)) {
      const message = `${holder.join('.')} is ${show(written)}, which has no ${show(path[length])}; set it whole`;
      throw failureOf({ ...document, flags: [{ path, text }] }, [{ path, on: 'value', text: message }]);
    }
    root = withValueAt(root, holder, written);
  }
  return { ...document, value: withValueAt(root, path, value), flags: [...document.flags, { path, text }] };
}

/** What the model file means where it is silent. */
const silent: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['machine', 'wse2'],
  ['sparsity', 0],
]);

/** The object form of what stands at a path. */
function writtenOut(path: Path, given: unknown): unknown {
  const top = String(path[0]);
  const value = given === undefined && path.length === 1 ? silent.get(top) : given;
  if (value === undefined) return {};
  if (top === 'machine' && path.length > 1 && typeof value === 'number') return { value };
  if (path.length > 1) return value;
  if (top === 'sparsity' && typeof value === 'number') return { value };
  if (top === 'machine' && typeof value === 'string') return { preset: value };
  if (top === 'bias' && typeof value === 'boolean') return { attention: value, mlp: value };
  return value;
}
