// The name that was most likely meant: the allowed name at the least edit distance (insert, delete, replace, swap of two
// neighbours), letter case and separators aside. A third of the letters may differ. The beginning of a name ("seq", "a100")
// is nearer than any edit of one; a name and something behind it ("layersize") is less near.

const SHORTEST_STEM = 3;

/** `undefined` if no allowed name is near. */
export function nearName(given: string, allowed: readonly string[]): string | undefined {
  const letters = lettersOf(given);
  if (letters.length === 0) return undefined;
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const name of allowed) {
    const distance = nameDistance(letters, lettersOf(name));
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  return best;
}

function nameDistance(given: string, name: string): number {
  if (given === name) return 0;
  if (given.length >= SHORTEST_STEM && name.startsWith(given)) return 0.5;
  const longest = Math.max(given.length, name.length);
  const limit = Math.floor(longest / 3);
  const isLikely = Math.abs(given.length - name.length) <= limit;
  const distance = isLikely ? editDistance(given, name) : longest;
  if (distance <= limit) return distance;
  return name.length >= SHORTEST_STEM && given.startsWith(name) ? longest : Number.POSITIVE_INFINITY;
}

function lettersOf(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** Optimal string alignment: the Damerau-Levenshtein distance in which no letter is edited twice. */
function editDistance(a: string, b: string): number {
  let twoAgo: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, last[j] + 1, row[j - 1] + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], twoAgo[j - 2] + 1);
      }
    }
    twoAgo = last;
    last = row;
  }
  return last[b.length];
}
