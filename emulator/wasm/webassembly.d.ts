// What we use of the WebAssembly JavaScript interface; the types of Node 20 leave it to those of browsers.

declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  // oxlint-disable-next-line typescript/no-extraneous-class -- it is what the platform has
  class Module {
    constructor(bytes: Uint8Array);
  }
  type ExportFunction = (...args: readonly number[]) => unknown;
  type Exports = Readonly<Record<string, ExportFunction | Memory | undefined>>;
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Exports;
  }
}
