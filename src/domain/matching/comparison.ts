/** How what is there stands to what is required. Error: the two cannot be compared (nothing of that kind here). */
export type Standing = 'Worse' | 'Equal' | 'Better' | 'Error';

export interface FieldComparison {
  /** e.g. `memory`, `gpu.vram`, `engine.wasm`, `label.zone` */
  readonly field: string;
  readonly required: string;
  readonly available: string;
  readonly result: Standing;
  readonly hard: boolean;
  /** Soft constraints only. */
  readonly weight?: number;
}

/** Requirements against one machine, field by field; made by the provider and kept with its bid. */
export interface CapabilityComparison {
  readonly fields: readonly FieldComparison[];
  /** Every hard field is Equal or Better. */
  readonly hardOk: boolean;
  /** Met share of the soft weights, in thousandths (1000 when there are none). */
  readonly softScore: number;
}
