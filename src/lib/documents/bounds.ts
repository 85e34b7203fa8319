/** Lists and maps inside each other. A job needs a tenth of it. */
export const MOST_LEVELS = 64;
/** Values of one document, those that aliases repeat among them. The largest job has half of it. */
export const MOST_VALUES = 8192;
/** Characters of one key. */
export const LONGEST_KEY = 1024;
/** An alias may stand for its anchor this often in total. */
export const MOST_ALIASES = 64;
/** Lines of a YAML document, which its parser lists: more is too much for the memory it has. A program of a megabyte has a fourth. */
export const MOST_LINES = 150_000;
/** Characters in double quotes of a YAML document, an escape being one: its parser puts them together one by one, at 32 bytes each. The longest program fits. */
export const MOST_QUOTED = 1_064_960;
/** Words, marks, spaces and line ends of a YAML document. The largest job has a third of it. */
export const MOST_TOKENS = 65_536;
