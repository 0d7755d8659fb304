// A pool of worker threads that run one file. What a worker answers after the pool was closed is nobody's, and no error.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Piscina } from 'piscina';

export interface Pool<Task, Answer> {
  run(task: Task, signal?: AbortSignal): Promise<Answer>;
  /** Ends all workers, at work or not; tasks under way are rejected. */
  close(): Promise<void>;
}

/** `workers` threads that run `name`, the file beside the module at `url`. */
export function openPool<Task, Answer>(url: string, name: string, workers: number): Pool<Task, Answer> {
  // Development runs the sources as they are; a build runs what is beside the caller there.
  const source = url.endsWith('.ts');
  const pool = new Piscina<Task, Answer>({
    filename: new URL(`./${name}.${source ? 'ts' : 'js'}`, url).href,
    minThreads: workers,
    maxThreads: workers,
    // By its place, which does not depend on the folder that a command is run in.
    ...(source ? { execArgv: ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] } : {}),
  });
  let isClosed = false;
  // An answer that was on its way when its worker was ended comes to no task; the pool calls that an error, and an error
  // that nobody listens for ends the process.
  pool.on('error', (error: unknown) => {
    if (!isClosed) throw error;
  });
  return {
    run: (task, signal) => pool.run(task, signal === undefined ? {} : { signal }),
    close: async () => {
      isClosed = true;
      // A worker whose work was broken off may end later than the others; the pool would replace it.
      pool.options.minThreads = 0;
      await pool.destroy();
    },
  };
}
