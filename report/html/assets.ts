// The script and the style of the page, which lie beside this file as they are: the modules of the client are put into one
// script in an order in which each comes after what it imports. Names at their top level are all different.

import { readFileSync } from 'node:fs';

const MODULES = ['counts', 'view', 'waferMap', 'timeline', 'main'] as const;

function read(name: string): string {
  return readFileSync(new URL(`./client/${name}`, import.meta.url), 'utf8');
}

export function clientScript(): string {
  return MODULES.map((name) => withoutModules(read(`${name}.js`))).join('\n');
}

/** Imports stand on lines of their own; exports are declarations. Comments are for those who read the source. */
function withoutModules(source: string): string {
  return source
    .replaceAll(/^import .*;\n/gm, '')
    .replaceAll(/^export /gm, '')
    .replaceAll(/^ *\/\*\*[^]*?\*\/\n/gm, '')
    .replaceAll(/^ *\/\/.*\n/gm, '');
}

export function clientStyle(): string {
  return read('style.css');
}
