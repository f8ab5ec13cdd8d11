import { defineProvider } from '../../kit/index.js';
import { slow } from './provider.js';

await defineProvider({ module: import.meta.url, ...slow }).run();
