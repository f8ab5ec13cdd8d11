import { defineProvider } from '../../kit/index.js';
import { inference } from './provider.js';

await defineProvider({ module: import.meta.url, ...inference }).run();
