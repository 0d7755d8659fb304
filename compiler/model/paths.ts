// Paths into a document: the keys and indices from its root to a value.

export type Path = readonly (string | number)[];

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function startsWith(path: Path, start: Path): boolean {
  return start.length <= path.length && start.every((step, i) => step === path[i]);
}

/** Only what the objects themselves have: "constructor" is a key like any other. */
export function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const step of path) {
    if (!isObject(at) || !Object.hasOwn(at, step)) return undefined;
    at = at[step];
  }
  return at;
}

/** A copy in which the value at a path is another; objects that are missing on the way are made. */
export function withValueAt(value: unknown, path: Path, leaf: unknown): unknown {
  if (path.length === 0) return leaf;
  const [key, ...rest] = path;
  const holder = isObject(value) ? value : {};
  // Not a spread and an assignment: that would make of "__proto__" the prototype instead of a key.
  return Object.fromEntries([...Object.entries(holder), [key, withValueAt(valueAt(holder, [key]), rest, leaf)]]);
}
