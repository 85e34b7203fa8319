import { globSync } from 'node:fs';
import { quickpickle } from 'quickpickle';
import { defineConfig } from 'vitest/config';
import { LeftOutReporter } from './test/left-out-reporter.ts';

const featureSteps = globSync('features/steps/**/*.ts').map((path) => `./${path}`);

/** The quick projects run first: each group starts when the one before it has ended. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    passWithNoTests: true,
    dangerouslyIgnoreUnhandledErrors: false,
    reporters: ['default', new LeftOutReporter()],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/architecture.test.ts'],
          testTimeout: 10_000,
          hookTimeout: 10_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        plugins: [quickpickle({ stepTimeout: 30_000 })],
        test: {
          name: 'features',
          include: ['features/**/*.feature'],
          setupFiles: featureSteps,
          testTimeout: 60_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'network',
          include: ['test/network/**/*.test.ts', 'test/attack/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
