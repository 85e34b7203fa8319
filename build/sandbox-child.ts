import { bundleSandboxChild } from './bundle.ts';

process.stdout.write(await bundleSandboxChild());
