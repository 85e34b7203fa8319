/** What a label of a machine may be called, so that `label.NAME` in a constraint can ask for it. */
export const LABEL_NAME = /^[A-Za-z0-9_./-]{1,63}$/;
