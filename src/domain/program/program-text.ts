/** Programs get their texts as UTF-8. Undefined where that can be done with nothing lost. */
export function wellFormedProblem(text: string): string | undefined {
  return text.isWellFormed()
    ? undefined
    : 'contains half of a character (a lone surrogate), which UTF-8 cannot hold: give bytes as a file, with inputs';
}

/** What a program reads as an argument or a variable ends at its first NUL. */
export function nulProblem(text: string): string | undefined {
  return text.includes('\0')
    ? 'contains a NUL character, at which the text would end: give bytes as a file, with inputs'
    : undefined;
}
