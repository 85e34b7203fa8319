/** The part of the JavaScript interface to WebAssembly that is used here; Node's type package has none of it. */
export interface WasmModule {
  readonly [Symbol.toStringTag]: string;
}

export interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}

interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

interface WasmApi {
  readonly Module: {
    new (bytes: Uint8Array): WasmModule;
    imports(module: WasmModule): { module: string; name: string; kind: string }[];
    exports(module: WasmModule): { name: string; kind: string }[];
  };
  readonly Instance: new (
    module: WasmModule,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => WasmInstance;
  readonly Memory: new (descriptor: { initial: number }) => WasmMemory;
  readonly CompileError: new () => Error;
  readonly RuntimeError: new () => Error;
}

declare const WebAssembly: WasmApi;

export const wasm: WasmApi = WebAssembly;
