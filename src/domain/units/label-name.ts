/** NAME in `label.NAME`, `engine.NAME` and `runtime.NAME`, as constraints ask for them. */
export const PROPERTY_NAME = '[A-Za-z0-9_./-]{1,63}';

/** What a label of a machine may be called, so that a constraint can ask for it. */
export const LABEL_NAME = new RegExp(`^${PROPERTY_NAME}$`);
