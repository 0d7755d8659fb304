// What is to be known of all cells of a matrix, in AssemblyScript, eight cells at a time: where they are empty for long
// (the twin of emptyRuns in emulator/streamed/certificate.ts), and how full the fullest are (emulator/streamed/most.ts).

/** A run of empty cells at position p has ended before feature `end`. */
@external("scan", "run")
declare function run(p: i32, end: i32): void;

/**
 * Tells of every run of at least `least` (>= 1) empty cells. `cells`: counts [features][cols], read beyond the end by up
 * to 8; `lengths`: a count of 16 bits, zero, for each column, and 8 more.
 */
export function findRuns(cells: usize, features: i32, cols: i32, least: i32, lengths: usize): void {
  const none = i16x8.splat(0);
  const one = i16x8.splat(1);
  const enough = i16x8.splat(<i16>least);
  for (let n = 0; n < features; n++) {
    const row = cells + (<usize>n * <usize>cols << 1);
    for (let p = 0; p < cols; p += 8) {
      const at = lengths + (<usize>p << 1);
      const empty = i16x8.eq(v128.load(row + (<usize>p << 1)), none);
      const length = v128.load(at);
      const ended = v128.andnot(i16x8.ge_u(length, enough), empty);
      if (v128.any_true(ended)) tell(ended, p, n, cols);
      v128.store(at, v128.and(i16x8.add_sat_u(length, one), empty));
    }
  }
  for (let p = 0; p < cols; p++) if (load<u16>(lengths + (<usize>p << 1)) >= <u16>least) run(p, features);
}

function tell(ended: v128, first: i32, end: i32, cols: i32): void {
  const lanes = i16x8.bitmask(ended);
  for (let k = 0; k < 8; k++) if ((lanes >> k) & 1 && first + k < cols) run(first + k, end);
}

/** The sum over features of the largest cell. `cells` as above. */
export function sumOfLargest(cells: usize, features: i32, cols: i32): f64 {
  let sum: i64 = 0;
  for (let n = 0; n < features; n++) {
    const row = cells + (<usize>n * <usize>cols << 1);
    let most = i16x8.splat(0);
    let p = 0;
    for (; p + 8 <= cols; p += 8) most = i16x8.max_u(most, v128.load(row + (<usize>p << 1)));
    let largest = 0;
    for (; p < cols; p++) largest = max(largest, <i32>load<u16>(row + (<usize>p << 1)));
    most = i16x8.max_u(most, i16x8.shuffle(most, most, 4, 5, 6, 7, 0, 1, 2, 3));
    most = i16x8.max_u(most, i16x8.shuffle(most, most, 2, 3, 0, 1, 6, 7, 4, 5));
    most = i16x8.max_u(most, i16x8.shuffle(most, most, 1, 0, 3, 2, 5, 4, 7, 6));
    sum += max(largest, <i32>i16x8.extract_lane_u(most, 0));
  }
  return <f64>sum;
}

/** Adds up the cells of each column; `sums`: an integer a column, zero. `cells` as above. */
export function columnSums(cells: usize, features: i32, cols: i32, sums: usize): void {
  for (let n = 0; n < features; n++) {
    const row = cells + (<usize>n * <usize>cols << 1);
    let p = 0;
    for (; p + 8 <= cols; p += 8) {
      const counts = v128.load(row + (<usize>p << 1));
      const at = sums + (<usize>p << 2);
      v128.store(at, i32x4.add(v128.load(at), i32x4.extend_low_i16x8_u(counts)));
      v128.store(at, i32x4.add(v128.load(at, 16), i32x4.extend_high_i16x8_u(counts)), 16);
    }
    for (; p < cols; p++) {
      const at = sums + (<usize>p << 2);
      store<i32>(at, load<i32>(at) + <i32>load<u16>(row + (<usize>p << 1)));
    }
  }
}
