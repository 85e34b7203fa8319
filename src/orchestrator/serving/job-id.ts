/** Execution ids begin with the id of their job. */
export function jobIdOf(executionId: string): string {
  return executionId.split('.')[0] ?? executionId;
}
