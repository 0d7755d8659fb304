export { countPlaced, countStrided } from './mask';
export { run, runTokens, start } from './row';
export { findRuns } from './scan';
