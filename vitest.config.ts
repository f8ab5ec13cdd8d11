import swc from 'unplugin-swc';
import { defineConfig } from 'vitest/config';

/** swc compiles the decorators and their metadata, which esbuild leaves out. */
const plugins = [
  swc.vite({
    module: { type: 'es6' },
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    },
  }),
];

const exclude = ['node_modules/**', 'dist/**'];

export default defineConfig({
  test: {
    projects: [
      {
        plugins,
        test: { name: 'unit', include: ['src/**/*.spec.ts', 'providers/kit/**/*.spec.ts'], exclude },
      },
      {
        plugins,
        test: {
          name: 'engines',
          include: ['providers/{engines,examples,postgres}/**/*.spec.ts'],
          exclude,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      {
        plugins,
        test: {
          name: 'broker',
          include: ['test/**/*.test.ts'],
          exclude: [...exclude, 'test/scale/**'],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 180_000,
        },
      },
      {
        plugins,
        test: {
          name: 'scale',
          include: ['test/scale/**/*.test.ts'],
          exclude,
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 1_800_000,
          hookTimeout: 300_000,
        },
      },
    ],
    maxWorkers: 2,
  },
});
