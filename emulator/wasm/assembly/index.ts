export { countPlaced, countStrided } from './mask';
export { run, start } from './row';
