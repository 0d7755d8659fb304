// The machine of a model: a preset, a machine file, or either with some constants replaced. What comes out is complete,
// and says of every constant where it is from: the preset's source, the file's own, or the file or flag that set it.

import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { machinePresets } from '../../emulator/machine/presets/index.ts';
import { edgeWaveletsPerCycle, machineSchema } from '../../emulator/machine/spec.ts';
import { parseDocument, readText, type Document } from './document.ts';
import { failureOf, flagFor, placeToBlame, show, type Issue } from './located.ts';
import { isMachineName, machineDocument, machineFields, type MachineField } from './machineSchema.ts';
import { isObject, valueAt, withValueAt, type JsonObject, type Path } from './paths.ts';
import type { MachineChoice } from './spec.ts';
import { validate } from './validate.ts';

/** `value` is what a checked document has at `path`: the name of a preset, the path of a machine file, or an object. */
export function resolveMachine(document: Document, path: Path, value: unknown): MachineChoice {
  return machineAt({ document, path, opened: [] }, value);
}

/** Where a machine is described, and the files that led there. */
interface Place {
  readonly document: Document;
  readonly path: Path;
  readonly opened: readonly string[];
}

interface Constant {
  readonly field: MachineField;
  readonly number: unknown;
  readonly source: string;
}

function machineAt(place: Place, value: unknown): MachineChoice {
  if (typeof value === 'string') return named(place, value);
  const given = isObject(value) ? value : {};
  const base = typeof given.preset === 'string' ? named(at(place, 'preset'), given.preset) : undefined;
  const constants = constantsOf(place, given);
  const from = base ?? { machine: {}, preset: null, file: null, overridden: [], sources: {} };
  refuseMissing(place, base === undefined ? machineFields : [], constants);

  const isChanged = base === undefined || constants.length > 0;
  const ownName = base === undefined ? 'custom' : `${base.machine.name} (modified)`;
  const name = given.name ?? (isChanged ? (fileName(place) ?? ownName) : base.machine.name);
  const numbers = constants.reduce<unknown>(
    (made, { field, number }) => withValueAt(made, field.keys, number),
    from.machine,
  );
  const machine = machineSchema.parse(withValueAt(numbers, ['name'], name));
  refuseNarrowEdge(place, edgeWaveletsPerCycle(machine));
  const set = constants.map(({ field }) => field.path);
  return {
    machine,
    preset: from.preset,
    file: from.file,
    overridden: base === undefined ? [] : [...new Set([...from.overridden, ...set])],
    sources: { ...from.sources, ...Object.fromEntries(constants.map(({ field, source }) => [field.path, source])) },
  };
}

function at(place: Place, key: string): Place {
  return { ...place, path: [...place.path, key] };
}

function named(place: Place, name: string): MachineChoice {
  if (!isMachineName(name)) return fromFile(place, name);
  const { machine, sources } = machinePresets[name];
  return { machine, preset: name, file: null, overridden: [], sources };
}

/** A path stands relative to the file that names it; on the command line, to the working directory. */
function fromFile(place: Place, name: string): MachineChoice {
  const { document, path, opened } = place;
  const isFlag = document.text === null || flagFor(document, path) !== undefined;
  const file = isFlag || isAbsolute(name) ? name : join(dirname(document.name), name);
  const refuse = (text: string): Error => failureOf(document, [{ path, on: 'value', text: `${file}: ${text}` }]);
  if (opened.includes(resolve(file))) throw refuse('starts from itself; give a preset or every constant');
  const reading = readText(file);
  if ('problem' in reading) throw refuse(reading.problem);
  const read = parseDocument(file, reading.text);
  validate(read, machineDocument);
  return { ...machineAt({ document: read, path: [], opened: [...opened, resolve(file)] }, read.value), file };
}

function fileName({ document, path }: Place): string | undefined {
  return path.length === 0 ? basename(document.name, '.json') : undefined;
}

function constantsOf(place: Place, given: JsonObject): Constant[] {
  const { document } = place;
  const issues: Issue[] = [];
  const constants = machineFields.flatMap((field) => {
    const value = valueAt(given, field.keys);
    if (value === undefined) return [];
    const path = [...place.path, ...field.keys];
    const setBy = flagFor(document, path)?.text ?? `set in ${document.name}`;
    if (!isObject(value)) return [{ field, number: value, source: setBy }];
    if (typeof value.unit === 'string' && !isUnitOf(field, value.unit)) {
      const text = `wrong unit, got ${show(value.unit)}, allowed "${field.unit}": numbers are not converted`;
      issues.push({ path: [...path, 'unit'], on: 'value', text });
    }
    return [{ field, number: value.value, source: typeof value.source === 'string' ? value.source : setBy }];
  });
  if (issues.length > 0) throw failureOf(document, issues);
  return constants;
}

const symbols: ReadonlyMap<string, string> = new Map([
  ['Hz', 'cycles a second'],
  ['b/s', 'bits a second'],
  ['bit/s', 'bits a second'],
  ['B', 'bytes'],
  ['J', 'joules'],
]);

/** The unit in words as the field has it or their beginning ("bytes of SRAM a PE", "bytes"), or its symbol. */
function isUnitOf(field: MachineField, unit: string): boolean {
  const words = symbols.get(unit) ?? unit;
  return field.unit === words || field.unit.startsWith(`${words} `) || field.unit.startsWith(`${words},`);
}

function refuseMissing(place: Place, needed: readonly MachineField[], constants: readonly Constant[]): void {
  const given = new Set(constants.map(({ field }) => field.path));
  const missing = needed.filter(({ path }) => !given.has(path)).map(({ path }) => path);
  if (missing.length === 0) return;
  const text = `missing ${missing.join(', ')}; give them, or what to start from, e.g. "preset": "wse2"`;
  throw failureOf(place.document, [{ path: place.path, on: 'value', text }]);
}

function refuseNarrowEdge(place: Place, waveletsPerCycle: number): void {
  if (waveletsPerCycle >= 1) return;
  const path = placeToBlame(place.document, [
    [...place.path, 'edge', 'bitsPerSecond'],
    [...place.path, 'clockHz'],
  ]);
  const text =
    'the edge passes less than one wavelet of 32 bits a cycle, allowed a bitsPerSecond of at least 32 x clockHz';
  throw failureOf(place.document, [{ path, on: 'value', text }]);
}
