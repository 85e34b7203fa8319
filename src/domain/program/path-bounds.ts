/**
 * How deep, long and large the paths of files may be, wherever a program makes them or a result holds them. It stands
 * here once: what a program may make must fit into the result, or it costs the program what it made.
 */
export const MAX_PATH_DEPTH = 64;
export const MAX_PATH_BYTES = 4096;
export const MAX_NAME_BYTES = 255;
/** A folder of a result is one block: so much, and for each entry its name and so much more. */
export const MAX_FOLDER_BYTES = 1024 * 1024;
export const FOLDER_ENTRY_BYTES = 54;
