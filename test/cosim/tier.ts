// How many random cases a run takes: a few hundred, or with WAFER_NIGHTLY=1 some ten thousand others. WAFER_SEED moves
// the first seed, so that every night can see new cases.

const nightly = process.env.WAFER_NIGHTLY === '1';
const firstSeed = Number(process.env.WAFER_SEED ?? (nightly ? 1_000_000 : 1));

/** Seeds of a test, and the time it may take. */
export function seedsFor(ordinary: number, nightlyCount: number): { seeds: number[]; timeout: number } {
  const count = nightly ? nightlyCount : ordinary;
  return { seeds: Array.from({ length: count }, (_, i) => firstSeed + i), timeout: nightly ? 3_600_000 : 120_000 };
}

/** What a count over all cases must come to, as a share of the cases. */
export function shareOf(seeds: readonly number[], share: number): number {
  return Math.floor(seeds.length * share);
}

/** In a nightly run, how many cases of which kind there were. */
export function tell(test: string, counts: Readonly<Record<string, unknown>>): void {
  if (nightly) console.log(`${test}: ${JSON.stringify(counts)}`);
}
