// The client of the report page goes into dist/ as it is: it runs in a browser, and no compiler has a part in it.
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';

const from = new URL('../report/html/client/', import.meta.url);
const to = new URL('../dist/report/html/client/', import.meta.url);
mkdirSync(to, { recursive: true });
for (const name of readdirSync(from).filter((each) => /\.(js|css)$/.test(each)))
  copyFileSync(new URL(name, from), new URL(name, to));
