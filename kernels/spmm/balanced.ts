// The counts of a matrix whose zeros are balanced: of every output feature as many non-zeros as before, spread evenly over the
// ring. Each cell has the floor or the ceiling of its feature's share; the cells that have one more follow each other
// along the ring, those of a feature behind those of the feature before, so that at no feature two positions have had
// counts more than one apart. It asks only for counts: not which weights these would be.

/** Entry n * cols + p, as of countCells, of which it keeps nothing but the sum of each feature. */
export function balancedCells(cells: Uint16Array, cols: number): Uint16Array {
  const balanced = new Uint16Array(cells.length);
  let next = 0;
  for (let cell = 0; cell < cells.length; cell += cols) {
    let weights = 0;
    for (let p = 0; p < cols; p++) weights += cells[cell + p];
    const more = weights % cols;
    balanced.fill((weights - more) / cols, cell, cell + cols);
    for (let i = 0; i < more; i++) balanced[cell + ((next + i) % cols)]++;
    next = (next + more) % cols;
  }
  return balanced;
}
