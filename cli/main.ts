// The process: arguments in, exit code out. An interrupt aborts what runs; should that not end within half a second, or
// should the user ask again, the process goes at once.

import { setMaxListeners } from 'node:events';
import { EXIT } from '../emulator/errors.ts';

const PATIENCE_MS = 500;

const interrupt = new AbortController();
// Every kernel that waits for a worker listens.
setMaxListeners(0, interrupt.signal);
process.on('SIGINT', () => {
  if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
  interrupt.abort();
  setTimeout(() => process.exit(EXIT.interrupted), PATIENCE_MS).unref();
});

// Loaded with the handler in place: an interrupt counts from the start.
const { main } = await import('./emulate.ts');
const { processIo } = await import('./io.ts');
process.exitCode = await main(process.argv.slice(2), processIo(interrupt.signal));
