import type { Reporter, TestModule } from 'vitest/node';

/** Ends the output with every test that was left out and why, so that a green run does not hide a gap. */
export class LeftOutReporter implements Reporter {
  onTestRunEnd(testModules: readonly TestModule[]): void {
    const lines: string[] = [];
    for (const testModule of testModules) {
      for (const test of testModule.children.allTests('skipped')) {
        const result = test.result();
        const reason = result.state === 'skipped' ? result.note : undefined;
        lines.push(`  [${test.project.name}] ${test.fullName}: ${reason ?? 'no reason given'}`);
      }
    }
    if (lines.length > 0) console.log(`\nLeft out here:\n${lines.join('\n')}`);
  }
}
