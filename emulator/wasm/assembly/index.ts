export { sweepLookahead } from './lookahead/row';
export { startLookahead } from './lookahead/state';
export { countPlaced, countStrided } from './mask';
export { run, runTokens, start } from './row';
export { columnSums, findRuns, sumOfLargest } from './scan';
export { countTransposed } from './transposed';
