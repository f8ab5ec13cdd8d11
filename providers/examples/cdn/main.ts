import { defineProvider } from '../../kit/index.js';
import { cdn } from './provider.js';

await defineProvider({ module: import.meta.url, ...cdn }).run();
